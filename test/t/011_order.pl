# Rows come in the exact order of their distances although most of them are not read from the table
# before they are handed out: by metric and type, with duplicates and dead rows in between, with vectors
# in the row and out of line, wherever these move.
use strict;
use warnings;

use Test::More;
use VectorAnn;

my $node = new_node('main', maintenance_work_mem => '256MB');
load_words($node);

my %class = ('<->' => 'l2', '<=>' => 'cosine', '<#>' => 'ip');

# How many of the first 40 rows of each query are nearer than the row before; distances are computed above
# the scan.
sub disorder_sql
{
    my ($table, $operator) = @_;
    return qq{
        WITH found AS (
            SELECT query.number, place, v $operator query.q AS distance FROM
                (SELECT v AS q, row_number() OVER () AS number
                    FROM $table WHERE id % 50 = 7) AS query,
                LATERAL (SELECT v, row_number() OVER () AS place FROM
                    (SELECT v FROM $table ORDER BY v $operator query.q LIMIT 40) AS nearest) AS row)
        SELECT count(*) FROM (SELECT *, lag(distance) OVER (PARTITION BY number ORDER BY place) AS before
            FROM found) AS pairs WHERE distance < before;};
}

sub disorder
{
    my ($table, $operator, $settings) = @_;
    return $node->safe_psql('postgres',
        "SET enable_seqscan = off; SET enable_sort = off; $settings " .
            disorder_sql($table, $operator));
}

sub in_order
{
    my ($method, $type, $operator) = @_;
    my $table = "${method}_${type}_$class{$operator}";
    $node->safe_psql('postgres', qq{
        CREATE TABLE $table AS SELECT rank AS id, embedding::$type(100) AS v
            FROM words WHERE rank <= 6000;
        INSERT INTO $table SELECT id + 100000, v FROM $table WHERE id % 20 = 3;
        ALTER TABLE $table ALTER v TYPE $type(100);
        CREATE INDEX ON $table USING $method (v ${type}_$class{$operator}_ops);
        DELETE FROM $table WHERE id % 11 = 5;});
    is(disorder($table, $operator, narrow_search($method)), '0', "$table: a narrow search");
    is(disorder($table, $operator, wide_search($method)), '0', "$table: a wide search");
    return;
}

for my $method (access_methods())
{
    for my $type ('vector', 'halfvec')
    {
        in_order($method, $type, $_) for sort keys %class;
    }
}

# The executor's verdict on rows that were not read before reaches the index: their TIDs go. Scans of ivfpq
# leave that to VACUUM.
cmp_ok(rows_in($node, 'hnsw_vector_l2_v_idx'), '<', 6300, 'scans remove rows that are dead to all');
check($node, 'hnsw_vector_l2_v_idx', 'sound after that');
check($node, 'ivfpq_vector_l2_v_idx', 'sound after scans');

# Out of line, in several chunks. Every vector is there twice, since rows of one element are always read.
# One backend, which remembers where it found values: they go, others come to stand where they stood, the
# table is rewritten, and filled anew.
my $copies = join ' || ', ('embedding') x 11;
my $load = "INSERT INTO long_words SELECT rank + n, ($copies)::vector(1100)
    FROM words, (VALUES (0), (100000)) AS copy (n) WHERE rank <= 600";
my $search = disorder_sql('long_words', '<->');
for my $method (access_methods())
{
    my $wide = wide_search($method);
    my $out = $node->safe_psql('postgres', qq{
        CREATE TABLE long_words (id int, v vector(1100)) WITH (autovacuum_enabled = off);
        $load;
        CREATE INDEX ON long_words USING $method (v vector_l2_ops);
        SET enable_seqscan = off; SET enable_sort = off; $wide
        $search $search
        UPDATE long_words SET v = v + v WHERE id % 3 = 1;
        $search
        VACUUM long_words;
        UPDATE long_words SET v = v * v WHERE id % 3 = 2;
        $search
        VACUUM FULL long_words;
        $search
        TRUNCATE long_words;
        $load AND rank % 2 = 1;
        $search
        DROP TABLE long_words;});
    is($out, join("\n", (0) x 6),
        "$method: values out of line are those of their rows, wherever they move");
}

done_testing();
