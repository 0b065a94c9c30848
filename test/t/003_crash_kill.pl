# A backend, then the whole server, killed in the middle of inserts, a build and a vacuum: after recovery
# the index is sound, returns every committed row once, and can be written. An unlogged table comes back
# empty, with an index that works.
use strict;
use warnings;

use IPC::Run;
use Test::More;
use VectorAnn;

my $node = new_node('main', restart_after_crash => 'on');
load_words($node);

# Starts a session, named victim, that runs the statements until somebody ends it, and waits until the
# query $begun returns true.
sub start_victim
{
    my ($begun, @statements) = @_;
    my ($out, $err) = ('', '');
    my $connection = $node->connstr('postgres') . ' application_name=victim';
    my $victim = IPC::Run::start([ 'psql', '-X', '-d', $connection, map { ('-c', $_) } @statements ],
        '>', \$out, '2>', \$err);
    $node->poll_query_until('postgres', $begun) or die "the victim did not begin: $err\n";
    return $victim;
}

# Ends the victim's backend, or the server, without warning; returns when the server is up again.
sub cut_off
{
    my ($how, $victim) = @_;
    if ($how eq 'kill')
    {
        kill 'KILL', $node->safe_psql('postgres',
            q{SELECT pid FROM pg_stat_activity WHERE application_name = 'victim'
                AND backend_type = 'client backend'});  # not its workers
        eval { $victim->finish };
        $node->poll_query_until('postgres',
            q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'victim'});
    }
    else
    {
        $node->stop('immediate');
        eval { $victim->finish };
        $node->start;
    }
    return;
}

# Two tables of the method: items, logged, and brief, which is not.
sub make_tables
{
    my ($method) = @_;
    $node->safe_psql('postgres', qq{
        CREATE TABLE items AS SELECT rank, embedding FROM words WHERE rank <= 3000;
        CREATE INDEX items_index ON items USING $method (embedding vector_l2_ops);
        CREATE UNLOGGED TABLE brief AS SELECT rank, embedding FROM words WHERE rank <= 500;
        CREATE INDEX brief_index ON brief USING $method (embedding vector_l2_ops);});
    return;
}

# Inserts, each committed on its own
sub cut_inserts
{
    my ($how) = @_;
    my $rows = $node->safe_psql('postgres', 'SELECT count(*) FROM items');
    my $victim = start_victim("SELECT count(*) > $rows + 300 FROM items", q{
        DO $$
        BEGIN
            FOR i IN 1 .. 1000000 LOOP
                INSERT INTO items SELECT 100000 + i, embedding FROM words WHERE rank = 1 + i * 7 % 20000;
                COMMIT;
            END LOOP;
        END
        $$});
    cut_off($how, $victim);
    cmp_ok(all_found($node, 'items', 'items_index', "$how, insert"), '>', $rows + 300,
        "$how, insert: committed rows stay");
    is($node->safe_psql('postgres', 'SELECT count(*) FROM brief'), '0', "$how: unlogged rows are gone");
    $node->safe_psql('postgres', 'INSERT INTO brief SELECT rank, embedding FROM words WHERE rank <= 300');
    all_found($node, 'brief', 'brief_index', "$how, unlogged");
    return;
}

# A build, in turn over a table and concurrently
sub cut_build
{
    my ($how, $method) = @_;
    my $concurrently = $how eq 'kill' ? '' : 'CONCURRENTLY';
    my $victim = start_victim(
        q{SELECT count(*) = 1 FROM pg_stat_progress_create_index WHERE phase LIKE 'building index%'},
        "CREATE INDEX $concurrently words_index ON words USING $method (embedding vector_l2_ops)");
    cut_off($how, $victim);
    is($node->safe_psql('postgres',
        q{SELECT count(*) FROM pg_index WHERE indrelid = 'words'::regclass AND indisvalid}),
        '1', "$how, build: no index but the primary key");
    $node->safe_psql('postgres', 'DROP INDEX IF EXISTS words_index');
    all_found($node, 'items', 'items_index', "$how, build");
    return;
}

# A vacuum, slowed down so that it is met inside the index
sub cut_vacuum
{
    my ($how) = @_;
    $node->safe_psql('postgres', 'DELETE FROM items WHERE rank % 2 = 0');
    my $victim = start_victim(
        q{SELECT count(*) = 1 FROM pg_stat_progress_vacuum WHERE phase LIKE 'vacuuming indexes%'},
        q{SET vacuum_cost_delay = '20ms'}, q{SET vacuum_cost_limit = 50}, 'VACUUM items');
    cut_off($how, $victim);
    all_found($node, 'items', 'items_index', "$how, vacuum");
    $node->safe_psql('postgres', q{
        INSERT INTO items SELECT 2 * rank, embedding FROM words WHERE rank BETWEEN 4001 AND 4500;
        VACUUM items;});
    all_found($node, 'items', 'items_index', "$how, vacuum again");
    return;
}

for my $method (access_methods())
{
    subtest $method => sub {
        make_tables($method);
        for my $how ('kill', 'stop')
        {
            cut_inserts($how);
            cut_build($how, $method);
            cut_vacuum($how);
        }
        $node->safe_psql('postgres', 'DROP TABLE items, brief');
    };
}

done_testing();
