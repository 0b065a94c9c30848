# What share of the exact neighbours an index of default settings finds, by metric: after the build,
# after inserts, and after deletes with VACUUM. The floors are far below what a sound index reaches
# (see README.md, "Benchmark") and far above what a damaged index does.
use strict;
use warnings;

use Test::More;
use VectorAnn;

my $node = new_node('main', maintenance_work_mem => '256MB');
load_words($node);

my %floor = ('<->' => 0.95, '<=>' => 0.95, '<#>' => 0.90);
my %class = ('<->' => 'l2', '<=>' => 'cosine', '<#>' => 'ip');

# A tenth of the words comes after the build; another tenth goes afterwards.
sub follow
{
    my ($method, $operator) = @_;
    my $name = "${method}_$class{$operator}";
    my $index = "words_$name";
    my %what = (
        table => "words_of_$name", column => 'embedding', operator => $operator,
        queries => 'SELECT embedding FROM words WHERE rank % 200 = 7 ORDER BY rank',
        settings => wide_search($method));
    my @changes = (
        [ 'the build', qq{
            CREATE TABLE words_of_$name AS SELECT * FROM words WHERE rank % 10 <> 1;
            CREATE INDEX $index ON words_of_$name
                USING $method (embedding vector_$class{$operator}_ops);} ],
        [ 'inserts', "INSERT INTO words_of_$name SELECT * FROM words WHERE rank % 10 = 1" ],
        [ 'VACUUM', "DELETE FROM words_of_$name WHERE rank % 10 = 2", "VACUUM words_of_$name" ]);
    for my $change (@changes)
    {
        my ($moment, @statements) = @$change;
        $node->safe_psql('postgres', $_) for @statements;
        cmp_ok(recall($node, $index, %what), '>=', $floor{$operator}, "$name: recall after $moment");
        check($node, $index, "$name: sound after $moment");
    }
    $node->safe_psql('postgres', "DROP TABLE words_of_$name");
    return;
}

for my $method (access_methods())
{
    follow($method, $_) for sort keys %floor;
}

done_testing();
