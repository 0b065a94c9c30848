# Builds in bounded memory: how much a build takes at the most, that it finds as much as one that had all the
# memory it wanted, and that nothing is left of one that fails in between.
use strict;
use warnings;

use IPC::Run;
use Test::More;
use Time::HiRes;
use VectorAnn;

plan skip_all => 'needs /proc/PID/status with RssAnon'
    unless -r '/proc/self/status' && slurp('/proc/self/status') =~ /^RssAnon:/m;

my $rows = 120_000;
my $node = new_node('main', shared_buffers => '128MB', max_parallel_maintenance_workers => 2);
$node->safe_psql('postgres', qq{
    SELECT setseed(0.25);
    CREATE TABLE items (id int, v vector(16)) WITH (autovacuum_enabled = off);
    INSERT INTO items SELECT i, ARRAY(SELECT 4 * sin(i % 300 * (d + 0.618)) + random()
        FROM generate_series(1, 16) AS d)::vector FROM generate_series(1, $rows) AS i;
    ANALYZE items;
    CREATE TABLE few (LIKE items) WITH (autovacuum_enabled = off);
    INSERT INTO few SELECT * FROM items WHERE id <= 40000;});

my $temp_files = 'SELECT count(*) FROM pg_ls_tmpdir()';
my $temp_bytes = q{SELECT temp_bytes FROM pg_stat_database WHERE datname = 'postgres'};
# Files of the database that no relation owns
my $orphans = q{
    SELECT count(*) FROM pg_database, pg_ls_dir('base/' || pg_database.oid) AS file
    WHERE datname = 'postgres' AND file ~ '^t?[0-9]+' AND split_part(file, '_', 1)::text NOT IN
        (SELECT pg_relation_filenode(oid)::text FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL)};
my %what = (table => 'items', column => 'v', operator => '<->',
    queries => 'SELECT v FROM items WHERE id % 1200 = 7 ORDER BY id');

sub slurp
{
    my ($name) = @_;
    open(my $file, '<', $name) or return '';
    local $/;
    return scalar(<$file>) // '';
}

sub start_session
{
    my ($out, $err, @statements) = @_;
    return IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') . ' application_name=builder',
        map { ('-c', $_) } 'SELECT pg_backend_pid()', @statements ], '>', $out, '2>', $err);
}

# Builds the index with so much memory; the most anonymous memory that its backend had meanwhile, in MB, and
# what psql said.
sub peak_of
{
    my ($memory, $statement) = @_;
    my ($out, $err) = ('', '');
    my $session = start_session(\$out, \$err, "SET maintenance_work_mem = '$memory'", $statement,
        q{SELECT 'done'});
    my $peak = 0;
    while ($session->pumpable)
    {
        $session->pump_nb;
        if ($out =~ /^(\d+)$/m && slurp("/proc/$1/status") =~ /^RssAnon:\s+(\d+) kB/m)
        {
            $peak = $1 if $1 > $peak;
        }
        Time::HiRes::usleep(2000);  # how finely is looked, not how long
    }
    $session->finish;
    like($out, qr/^done$/m, "$memory: built") or diag($err);
    return ($peak / 1024, $err);
}

my $index = 'CREATE INDEX made ON items USING hnsw (v vector_l2_ops)';
my $few_index = 'CREATE INDEX made ON few USING hnsw (v vector_l2_ops)';

# With all memory: what the others are compared with. It takes more than they may.
my ($peak, $said) = peak_of('1GB', $index);
note("1GB: $peak MB");
cmp_ok($peak, '>', 60, 'in one pass: memory is seen');
unlike($said, qr/NOTICE/, 'in one pass: nothing is said');
my $recall = recall($node, 'made', %what);
note("1GB: recall $recall");
cmp_ok($recall, '>=', 0.95, 'in one pass: recall');
my $needed = $node->safe_psql('postgres',
    q{SELECT ceil(one_pass_memory / 1048576.0) FROM hnsw_build_estimate('items', 'v')});

my $before = $node->safe_psql('postgres', $temp_bytes);
($peak, $said) = peak_of('24MB', "DROP INDEX made; $index");
note("24MB: $peak MB");
cmp_ok($peak, '<=', 24 + 16, 'in several passes: memory');
like($said, qr/NOTICE:  building index "made" in several passes with temporary files/,
    'in several passes: NOTICE');
like($said, qr/DETAIL:  Its $rows rows do not fit into maintenance_work_mem \(24MB\)\./,
    'in several passes: DETAIL');
like($said, qr/HINT:  Set maintenance_work_mem to at least $needed MB to build it in one pass\./,
    'in several passes: HINT');
ok($node->poll_query_until('postgres', "SELECT ($temp_bytes) > $before"),
    'in several passes: temporary files are counted');
is($node->safe_psql('postgres', $temp_files), '0', 'in several passes: no temporary file is left');
check($node, 'made', 'in several passes: sound');
my $found = recall($node, 'made', %what);
note("24MB: recall $found");
cmp_ok($found, '>=', $recall - 0.005, 'in several passes: recall');

# The setting that the hint names is enough.
unlike((peak_of("${needed}MB", "DROP INDEX made; $index"))[1], qr/NOTICE/, 'as the hint says');
$node->safe_psql('postgres', 'DROP INDEX made');

my $little = q{SET maintenance_work_mem = '16MB'; SET client_min_messages = warning;};

sub nothing_left
{
    my ($name) = @_;
    is($node->safe_psql('postgres', q{SELECT to_regclass('made')}), '', "$name: no index");
    is($node->safe_psql('postgres', $temp_files), '0', "$name: no temporary file");
    $node->safe_psql('postgres', 'CHECKPOINT');
    is($node->safe_psql('postgres', $orphans), '0', "$name: no file without a relation");
    return;
}

# Cancelled, or ended, in each phase once there are temporary files. A phase may be over before it is
# seen: then once more.
$node->safe_psql('postgres', q{
    -- Ends the build when it comes to the phase; the number of temporary files then, null if it was missed.
    CREATE FUNCTION end_in_phase(stage text, how text) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
        builder int;
        files bigint;
    BEGIN
        LOOP
            PERFORM pg_stat_clear_snapshot();
            SELECT pid INTO builder FROM pg_stat_progress_create_index WHERE phase LIKE '%: ' || stage || '%';
            IF FOUND THEN
                files := (SELECT count(*) FROM pg_ls_tmpdir());
                EXECUTE format('SELECT %I(%s)', how, builder);
                RETURN files;
            END IF;
            IF to_regclass('made') IS NOT NULL THEN
                RETURN NULL;
            END IF;
            PERFORM pg_sleep(0.001);
        END LOOP;
    END $$});
my $builder = q{SELECT pid FROM pg_stat_activity WHERE application_name = 'builder'};
for my $case ([ 'partitioning', 'pg_cancel_backend' ], [ 'comparing', 'pg_cancel_backend' ],
    [ 'adding reverse', 'pg_cancel_backend' ], [ 'writing', 'pg_cancel_backend' ],
    [ 'comparing', 'pg_terminate_backend' ])
{
    my ($stage, $end) = @$case;
    my ($out, $err, $files) = ('', '', '');
    for my $attempt (1 .. 20)
    {
        $node->safe_psql('postgres', 'DROP INDEX IF EXISTS made');
        ($out, $err) = ('', '');
        my $session = start_session(\$out, \$err, split(/(?<=;)/, $little), $few_index, q{SELECT 'goes on'});
        $files = $node->safe_psql('postgres', "SELECT end_in_phase('$stage', '$end')");
        $session->finish;
        last if $err ne '';
    }
    cmp_ok($files || 0, '>', 0, "$stage: there are temporary files");
    like($err, qr/canceling statement due to user request|terminating connection/, "$end while $stage");
    unlike($err, qr/WARNING|PANIC/, "$end while $stage: without warnings");
    is($out =~ /goes on/ ? 1 : 0, $end eq 'pg_cancel_backend' ? 1 : 0, "$end while $stage: the session");
    ok($node->poll_query_until('postgres', "SELECT NOT EXISTS ($builder)"), "$end while $stage: it ends");
    nothing_left("$end while $stage");
}

# A limit on temporary files, met early and late; the same session then builds
for my $limit ('1MB', '8MB', '16MB')
{
    my ($status, $out, $err) = $node->psql('postgres', "$little SET temp_file_limit = '$limit'; $few_index",
        on_error_stop => 1);
    like($err, qr/temporary file size exceeds "?temp_file_limit/, "temp_file_limit $limit");
    unlike($err, qr/WARNING|PANIC/, "temp_file_limit $limit: without warnings");
    nothing_left("temp_file_limit $limit");
}
my ($status, $out, $err) = $node->psql('postgres', qq{
    $little
    SET temp_file_limit = '8MB';
    CREATE TABLE outcome (message text, files bigint);
    DO \$\$
    DECLARE
        said text;
    BEGIN
        FOR attempt IN 1 .. 2 LOOP
            BEGIN
                $few_index;
                said := 'built';
            EXCEPTION WHEN configuration_limit_exceeded THEN
                said := 'caught';
            END;
            INSERT INTO outcome VALUES (said, ($temp_files));
            SET temp_file_limit = -1;
        END LOOP;
    END \$\$;
    SELECT * FROM outcome;});
is($out, "caught|0\nbuilt|0", 'caught in a block, then built in the next one');
is($err, '', 'without warnings');
check($node, 'made', 'sound after it');

# Rolled back, and concurrently
is($node->safe_psql('postgres', "$little DROP INDEX made; BEGIN; $few_index; ROLLBACK; SELECT 'back'"), 'back',
    'rolled back');
nothing_left('rolled back');
is($node->safe_psql('postgres', qq{$little SELECT 'before'; }
    . 'BEGIN; SAVEPOINT s; ' . "$few_index; ROLLBACK TO s; SELECT 1 / 1; $few_index; COMMIT"), "before\n1",
    'rolled back to a savepoint, then built');
check($node, 'made', 'sound after it');
for my $way ('CREATE INDEX CONCURRENTLY made ON few USING hnsw (v vector_l2_ops)',
    'REINDEX INDEX CONCURRENTLY made')
{
    $node->safe_psql('postgres', 'DROP INDEX made') if $way =~ /^CREATE/;
    ($status, $out, $err) = $node->psql('postgres', "SET maintenance_work_mem = '16MB'; $way");
    like($err, qr/in several passes/, "$way: NOTICE");
    check($node, 'made', "$way: sound");
}
is($node->safe_psql('postgres', $temp_files), '0', 'no temporary file');

done_testing();
