# Writers, readers, VACUUM and concurrent builds on one index at a time: nobody fails, and at the end the
# indexes are sound, hold every row, and their recall has not suffered.
use strict;
use warnings;

use IPC::Run;
use Test::More;
use VectorAnn;

my $node = new_node('main');
load_words($node);
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

# The working set keeps its size: each deleted word comes back under another id.
sub make_table
{
    my ($method) = @_;
    $node->safe_psql('postgres', qq{
        CREATE TABLE items (id bigserial, rank int, embedding vector(100));
        INSERT INTO items (rank, embedding) SELECT rank, embedding FROM words WHERE rank <= 4000;
        CREATE INDEX items_id ON items (id);
        CREATE INDEX items_rank ON items (rank);
        CREATE INDEX items_index ON items USING $method (embedding vector_cosine_ops);});
    return;
}

# What runs beside the clients, one after another.
sub start_maintenance
{
    my ($method, $err) = @_;
    my @statements = (
        'VACUUM items',
        'REINDEX INDEX CONCURRENTLY items_index',
        'VACUUM (PARALLEL 2) items',
        "CREATE INDEX CONCURRENTLY items_l2 ON items USING $method (embedding vector_l2_ops)",
        'VACUUM items',
        'VACUUM items',
        'REINDEX INDEX CONCURRENTLY items_index',
        ('VACUUM items') x 5);
    return IPC::Run::start(
        [
            'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
            map { ('-c', $_) } @statements
        ],
        '2>', $err);
}

sub soak
{
    my ($method) = @_;
    make_table($method);
    my $err = '';
    my $cleaner = start_maintenance($method, \$err);
    $node->pgbench('--no-vacuum --client=8 --jobs=2 --transactions=600 --random-seed=7', 0,
        [qr{actually processed}], [qr{^pgbench: setting random seed to 7$}],
        'inserts, deletes, scans beside maintenance',
        {
            "004_replace_$method\@5" => $replace, "004_same_$method\@1" => $same,
            "004_abort_$method\@2" => $abort, "004_search_$method\@4" => $search
        });
    ok($cleaner->finish, 'VACUUM and concurrent builds succeed');
    is($err, '', 'and have nothing to say');
    is($node->safe_psql('postgres', 'SELECT count(*) FROM items WHERE rank > 4000'), '0',
        'no aborted row');
    my %what = (
        table => 'items', column => 'embedding', operator => '<=>', where => 'rank > 0',
        queries => 'SELECT embedding FROM words WHERE rank % 200 = 7 ORDER BY rank',
        settings => wide_search($method));
    for my $moment ('after the load', 'after VACUUM')
    {
        all_found($node, 'items', 'items_index', $moment, '<=>');
        all_found($node, 'items', 'items_l2', $moment, '<->');
        cmp_ok(recall($node, 'items_index', %what), '>=', 0.95, "$moment: recall");
        $node->safe_psql('postgres', 'VACUUM items');
    }
    $node->safe_psql('postgres', 'DROP TABLE items');
    return;
}

for my $method (access_methods())
{
    subtest $method => sub { soak($method) };
}

done_testing();
