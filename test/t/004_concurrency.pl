# Writers, readers, VACUUM and concurrent builds on one index at a time: nobody fails, and at the end the
# indexes are sound, hold every row, and their recall has not suffered.
use strict;
use warnings;

use IPC::Run;
use Test::More;
use VectorAnn;

my $node = new_node('main');
load_words($node);
# The working set keeps its size: each deleted word comes back under another id.
$node->safe_psql('postgres', q{
    CREATE TABLE items (id bigserial, rank int, embedding vector(100));
    INSERT INTO items (rank, embedding) SELECT rank, embedding FROM words WHERE rank <= 4000;
    CREATE INDEX items_id ON items (id);
    CREATE INDEX items_rank ON items (rank);
    CREATE INDEX items_index ON items USING hnsw (embedding vector_cosine_ops);});

my $replace = q{
\set rank random(1, 4000)
BEGIN;
DELETE FROM items WHERE rank = :rank;
INSERT INTO items (rank, embedding) SELECT rank, embedding FROM words WHERE rank = :rank
    AND NOT EXISTS (SELECT FROM items WHERE items.rank = :rank);
COMMIT;};
my $same = q{
INSERT INTO items (rank, embedding) SELECT 0, embedding FROM words WHERE rank = 1;};
my $abort = q{
\set rank random(4001, 20000)
BEGIN;
INSERT INTO items (rank, embedding) SELECT rank, embedding FROM words WHERE rank = :rank;
ROLLBACK;};
# A scan that does not return as many rows as it should divides by zero.
my $search = q{
\set rank random(1, 20000)
SET enable_seqscan = off;
SELECT 1 / (count(DISTINCT place) = 20)::int FROM (SELECT ctid AS place FROM items
    ORDER BY embedding <=> (SELECT embedding FROM words WHERE rank = :rank) LIMIT 20) AS nearest;};

my @maintenance = (
    'VACUUM items',
    'REINDEX INDEX CONCURRENTLY items_index',
    'VACUUM (PARALLEL 2) items',
    'CREATE INDEX CONCURRENTLY items_l2 ON items USING hnsw (embedding vector_l2_ops)',
    'VACUUM items',
    'VACUUM items',
    'REINDEX INDEX CONCURRENTLY items_index',
    ('VACUUM items') x 5);
my ($out, $err) = ('', '');
my $cleaner = IPC::Run::start(
    [
        'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
        map { ('-c', $_) } @maintenance
    ],
    '>', \$out, '2>', \$err);
$node->pgbench('--no-vacuum --client=8 --jobs=2 --transactions=1000 --random-seed=7', 0,
    [qr{actually processed}], [qr{^pgbench: setting random seed to 7$}], 'inserts, deletes, scans beside maintenance',
    {
        '004_replace@5' => $replace, '004_same@1' => $same,
        '004_abort@2' => $abort, '004_search@4' => $search
    });
ok($cleaner->finish, 'VACUUM and concurrent builds succeed');
is($err, '', 'and have nothing to say');

# The index returns every row of the table, once.
sub all_found
{
    my ($operator, $moment) = @_;
    my $rows = $node->safe_psql('postgres', 'SELECT count(*) FROM items');
    is($node->safe_psql('postgres', qq{
        SET enable_seqscan = off; SET enable_sort = off;
        SELECT count(*), count(DISTINCT place) FROM (SELECT ctid AS place FROM items
            ORDER BY embedding $operator array_fill(0.1, ARRAY[100])::vector LIMIT 1000000) AS nearest}),
        "$rows|$rows", "$moment: $operator returns every row once");
    return;
}

is($node->safe_psql('postgres', 'SELECT count(*) FROM items WHERE rank > 4000'), '0', 'no aborted row');
my %what = (
    table => 'items', column => 'embedding', operator => '<=>', where => 'rank > 0',
    queries => 'SELECT embedding FROM words WHERE rank % 200 = 7 ORDER BY rank',
    settings => 'SET hnsw.ef_search = 100;');
for my $moment ('after the load', 'after VACUUM')
{
    all_found('<=>', $moment);
    all_found('<->', $moment);
    check($node, 'items_index', "$moment: items_index is sound");
    check($node, 'items_l2', "$moment: items_l2 is sound");
    cmp_ok(recall($node, 'items_index', %what), '>=', 0.95, "$moment: recall");
    $node->safe_psql('postgres', 'VACUUM items');
}

done_testing();
