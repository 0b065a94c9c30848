# What share of the exact neighbours an index of default settings finds, by metric: after the build,
# after inserts, and after deletes with VACUUM. The floors are far below what a sound index reaches
# (see README.md, "Benchmark") and far above what a damaged graph does.
use strict;
use warnings;

use Test::More;
use VectorAnn;

my $node = new_node('main', maintenance_work_mem => '256MB');
load_words($node);

my %floor = ('<->' => 0.95, '<=>' => 0.95, '<#>' => 0.90);
my %class = ('<->' => 'l2', '<=>' => 'cosine', '<#>' => 'ip');

# A tenth of the words comes after the build; another tenth goes afterwards.
for my $operator (sort keys %floor)
{
    my $name = $class{$operator};
    my $index = "words_$name";
    my %what = (
        table => "words_of_$name", column => 'embedding', operator => $operator,
        queries => 'SELECT embedding FROM words WHERE rank % 200 = 7 ORDER BY rank',
        settings => 'SET hnsw.ef_search = 100;');
    $node->safe_psql('postgres', qq{
        CREATE TABLE words_of_$name AS SELECT * FROM words WHERE rank % 10 <> 1;
        CREATE INDEX $index ON words_of_$name USING hnsw (embedding vector_${name}_ops);});
    cmp_ok(recall($node, $index, %what), '>=', $floor{$operator}, "$name: recall after the build");
    check($node, $index, "$name: sound after the build");

    $node->safe_psql('postgres',
        "INSERT INTO words_of_$name SELECT * FROM words WHERE rank % 10 = 1");
    cmp_ok(recall($node, $index, %what), '>=', $floor{$operator}, "$name: recall after inserts");
    check($node, $index, "$name: sound after inserts");

    $node->safe_psql('postgres', "DELETE FROM words_of_$name WHERE rank % 10 = 2");
    $node->safe_psql('postgres', "VACUUM words_of_$name");
    cmp_ok(recall($node, $index, %what), '>=', $floor{$operator}, "$name: recall after VACUUM");
    check($node, $index, "$name: sound after VACUUM");
}

done_testing();
