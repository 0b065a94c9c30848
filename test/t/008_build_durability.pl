# What is left of a fresh index after a crash: with wal_level = minimal, where pages are not logged as they
# are written, with checkpoints in the middle of a build, and of unlogged tables.
use strict;
use warnings;

use IPC::Run;
use Test::More;
use VectorAnn;

my %words = (table => 'words', column => 'embedding', operator => '<->',
    queries => 'SELECT embedding FROM words WHERE rank % 400 = 7 ORDER BY rank');

sub index_sql { return "CREATE INDEX made ON words USING $_[0] (embedding vector_l2_ops)" }

sub sound_and_found
{
    my ($node, $method, $name) = @_;
    check($node, 'made', "$name: sound after a crash");
    cmp_ok(recall($node, 'made', %words, settings => wide_search($method)), '>=', 0.95,
        "$name: recall after a crash");
    return;
}

# wal_level = minimal: at commit the file is logged (below the threshold) or synced.
sub at_commit
{
    my ($node, $method, $threshold) = @_;
    my $name = "wal_skip_threshold $threshold";
    # Hints that the scan would set on the table's pages are in WAL too.
    $node->safe_psql('postgres', 'VACUUM (DISABLE_PAGE_SKIPPING) words');
    my $before = $node->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
    $node->safe_psql('postgres', "SET wal_skip_threshold = '$threshold'; " . index_sql($method));
    my $logged = $node->safe_psql('postgres',
        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$before') > pg_relation_size('made') / 2");
    is($logged, $threshold eq '0' ? 'f' : 't', "$name: whether pages are in WAL");
    crash_restart($node);
    sound_and_found($node, $method, $name);
    # What comes later is logged.
    $node->safe_psql('postgres', q{
        INSERT INTO words SELECT 100000 + rank, word, embedding * embedding FROM words WHERE rank <= 50;});
    crash_restart($node);
    check($node, 'made', "$name: inserts survive a crash");
    $node->safe_psql('postgres', q{DELETE FROM words WHERE rank > 100000; DROP INDEX made});
    return;
}

# Table, rows and index of one transaction; one rolled back
sub in_one_transaction
{
    my ($node, $method) = @_;
    $node->safe_psql('postgres', qq{
        BEGIN;
        CREATE TABLE fresh (embedding vector(100));
        CREATE INDEX fresh_index ON fresh USING $method (embedding vector_l2_ops);
        INSERT INTO fresh SELECT embedding FROM words WHERE rank <= 300;
        REINDEX INDEX fresh_index;
        INSERT INTO fresh SELECT embedding FROM words WHERE rank > 19900;
        COMMIT;
        BEGIN;
        TRUNCATE fresh;
        REINDEX INDEX fresh_index;
        ROLLBACK;});
    crash_restart($node);
    is(rows_in($node, 'fresh_index'), '400', 'table and index of one transaction');
    check($node, 'fresh_index', 'table and index of one transaction: sound');
    $node->safe_psql('postgres', 'DROP TABLE fresh');
    return;
}

# Logged, with checkpoints all the while; then without any
sub beside_checkpoints
{
    my ($node, $method) = @_;
    my ($out, $err) = ('', '');
    my $build = IPC::Run::start(
        [ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', index_sql($method) ],
        '>', \$out, '2>', \$err);
    my $writing = q{SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE phase LIKE '%writing%')};
    my $met = 0;
    while ($build->pumpable)
    {
        $node->safe_psql('postgres', 'CHECKPOINT');
        $met++ if $node->safe_psql('postgres', $writing) eq 't';
        $build->pump_nb;
    }
    $build->finish;
    is($err, '', 'built beside checkpoints');
    note("$met checkpoints ended while pages were written");
    crash_restart($node);
    check($node, 'made', 'with checkpoints: sound after a crash');
    $node->safe_psql('postgres', 'REINDEX INDEX made');
    crash_restart($node);
    sound_and_found($node, $method, 'without checkpoint');
    # The file is asked to be synced with the next checkpoint, which must find it, or that it has gone.
    $node->safe_psql('postgres',
        'REINDEX INDEX made; CHECKPOINT; REINDEX INDEX made; DROP INDEX made; CHECKPOINT');
    unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/could not fsync|PANIC/,
        'checkpoints succeed');
    return;
}

# Unlogged: kept by a clean shutdown, emptied by a crash
sub unlogged
{
    my ($node, $method) = @_;
    $node->safe_psql('postgres', qq{
        CREATE UNLOGGED TABLE quick AS SELECT embedding FROM words WHERE rank <= 2000;
        ALTER TABLE quick ALTER embedding TYPE vector(100);
        CREATE INDEX quick_index ON quick USING $method (embedding vector_l2_ops);});
    $node->restart;
    is(rows_in($node, 'quick_index'), '2000', 'unlogged: kept by a restart');
    check($node, 'quick_index', 'unlogged: sound after a restart');
    crash_restart($node);
    is(rows_in($node, 'quick_index'), '0', 'unlogged: emptied by a crash');
    $node->safe_psql('postgres', 'INSERT INTO quick SELECT embedding FROM words WHERE rank <= 100');
    check($node, 'quick_index', 'unlogged: sound after a crash');
    $node->safe_psql('postgres', 'DROP TABLE quick');
    return;
}

my $minimal = new_node('minimal', wal_level => 'minimal', max_wal_senders => 0);
load_words($minimal);
for my $method (access_methods())
{
    subtest "$method, wal_level = minimal" => sub {
        at_commit($minimal, $method, $_) for '0', '1GB';
        in_one_transaction($minimal, $method);
    };
}
$minimal->stop;

my $replica = new_node('replica');
load_words($replica);
for my $method (access_methods())
{
    subtest "$method, wal_level = replica" => sub {
        beside_checkpoints($replica, $method);
        unlogged($replica, $method);
    };
}

done_testing();
