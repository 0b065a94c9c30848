# What is left of a fresh index after a crash: with wal_level = minimal, where pages are not logged as they
# are written, with checkpoints in the middle of a build, and of unlogged tables.
use strict;
use warnings;

use IPC::Run;
use Test::More;
use VectorAnn;

my %what = (table => 'words', column => 'embedding', operator => '<->',
    queries => 'SELECT embedding FROM words WHERE rank % 400 = 7 ORDER BY rank');
my $index = 'CREATE INDEX made ON words USING hnsw (embedding vector_l2_ops)';

# wal_level = minimal: at commit the file is logged (below the threshold) or synced
my $node = new_node('minimal', wal_level => 'minimal', max_wal_senders => 0);
load_words($node);
for my $threshold ('0', '1GB')
{
    my $name = "wal_skip_threshold $threshold";
    my $before = $node->safe_psql('postgres', 'SELECT pg_current_wal_insert_lsn()');
    $node->safe_psql('postgres', "SET wal_skip_threshold = '$threshold'; $index");
    my $logged = $node->safe_psql('postgres',
        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$before') > pg_relation_size('made') / 2");
    is($logged, $threshold eq '0' ? 'f' : 't', "$name: whether pages are in WAL");
    crash_restart($node);
    check($node, 'made', "$name: sound after a crash");
    cmp_ok(recall($node, 'made', %what), '>=', 0.95, "$name: recall after a crash");
    # What comes later is logged.
    $node->safe_psql('postgres', q{
        INSERT INTO words SELECT 100000 + rank, word, embedding * embedding FROM words WHERE rank <= 50;});
    crash_restart($node);
    check($node, 'made', "$name: inserts survive a crash");
    $node->safe_psql('postgres', q{DELETE FROM words WHERE rank > 100000; DROP INDEX made});
}
# Table, rows and index of one transaction; one rolled back
$node->safe_psql('postgres', q{
    BEGIN;
    CREATE TABLE fresh (embedding vector(100));
    CREATE INDEX fresh_index ON fresh USING hnsw (embedding vector_l2_ops);
    INSERT INTO fresh SELECT embedding FROM words WHERE rank <= 300;
    REINDEX INDEX fresh_index;
    INSERT INTO fresh SELECT embedding FROM words WHERE rank > 19900;
    COMMIT;
    BEGIN;
    TRUNCATE fresh;
    REINDEX INDEX fresh_index;
    ROLLBACK;});
crash_restart($node);
is($node->safe_psql('postgres', q{SELECT heap_tids FROM hnsw_stats('fresh_index')}), '400',
    'table and index of one transaction');
check($node, 'fresh_index', 'table and index of one transaction: sound');
$node->stop;

# Logged, with checkpoints all the while; then without any
$node = new_node('replica');
load_words($node);
my ($out, $err) = ('', '');
my $build = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $index ],
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
check($node, 'made', 'without checkpoint: sound after a crash');
cmp_ok(recall($node, 'made', %what), '>=', 0.95, 'without checkpoint: recall');
# The file is asked to be synced with the next checkpoint, which must find it, or that it has gone.
$node->safe_psql('postgres', 'REINDEX INDEX made; CHECKPOINT; REINDEX INDEX made; DROP INDEX made; CHECKPOINT');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/could not fsync|PANIC/, 'checkpoints succeed');

# Unlogged: kept by a clean shutdown, emptied by a crash
$node->safe_psql('postgres', q{
    CREATE UNLOGGED TABLE quick AS SELECT embedding FROM words WHERE rank <= 2000;
    ALTER TABLE quick ALTER embedding TYPE vector(100);
    CREATE INDEX quick_index ON quick USING hnsw (embedding vector_l2_ops);});
$node->restart;
is($node->safe_psql('postgres', q{SELECT heap_tids FROM hnsw_stats('quick_index')}), '2000',
    'unlogged: kept by a restart');
check($node, 'quick_index', 'unlogged: sound after a restart');
crash_restart($node);
is($node->safe_psql('postgres', q{SELECT heap_tids FROM hnsw_stats('quick_index')}), '0',
    'unlogged: emptied by a crash');
$node->safe_psql('postgres', 'INSERT INTO quick SELECT embedding FROM words WHERE rank <= 100');
check($node, 'quick_index', 'unlogged: sound after a crash');

done_testing();
