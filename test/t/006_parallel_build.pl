# Builds that scan with workers: how many come, that the index does not depend on it, and that an error, a
# cancel or a killed process leaves neither workers nor files.
use strict;
use warnings;

use IPC::Run;
use Test::More;
use VectorAnn;

my $node = new_node('main', max_worker_processes => 8, max_parallel_workers => 8,
    max_parallel_maintenance_workers => 3, shared_buffers => '256MB');
load_words($node);
$node->safe_psql('postgres', q{
    CREATE UNLOGGED TABLE items AS SELECT rank AS id, embedding FROM words WHERE rank <= 8000;
    INSERT INTO items SELECT id + 20000, embedding FROM items WHERE id % 9 = 0;
    UPDATE items SET id = id + 50000 WHERE id % 7 = 0;
    DELETE FROM items WHERE id % 11 = 0;
    ALTER TABLE items ALTER embedding TYPE vector(100), SET (parallel_workers = 3);
    -- Vectors out of line: 15 MB, of which 0.2 in the table itself
    CREATE TABLE wide AS SELECT rank AS id, (embedding || embedding || embedding || embedding || embedding
        || embedding)::vector(600) AS v FROM words WHERE rank <= 5000;
    ALTER TABLE wide ALTER v TYPE vector(600);});

# The workers that took part when the statement built an index, and the statement's errors.
sub workers_of
{
    my ($statement, %settings) = @_;
    my $set = join '', map { "SET $_ = '$settings{$_}';" } sort keys %settings;
    my ($status, $out, $err) =
        $node->psql('postgres', "$set SET client_min_messages = debug1; $statement");
    is($status, 0, $statement) or diag($err);
    return $err =~ /(\d+) scan workers/ ? $1 : -1;
}

# What must not depend on workers: of hnsw all pages, of ivfpq all but those of rows, which stand in their lists
# as they came. The metapage has a random id.
my $file = q{pg_relation_filepath('made')};
my %contents = (
    hnsw => "SELECT md5(pg_read_binary_file($file, 8192, pg_relation_size('made') - 8192))",
    ivfpq => qq{
        WITH page AS (SELECT number, pg_read_binary_file($file, number * 8192, 8192) AS bytes
            FROM generate_series(1, pg_relation_size('made') / 8192 - 1) AS number),
        made AS (SELECT list, rows, pages FROM ivfpq_lists('made'))
        SELECT md5(string_agg(bytes, '' ORDER BY number)),
            (SELECT md5(string_agg(made::text, ' ' ORDER BY made.list)) FROM made)
        FROM page WHERE get_byte(bytes, 8188) IN (2, 3, 4)  -- model, lists, directory});
my %what = (table => 'items', column => 'embedding', operator => '<->',
    queries => 'SELECT embedding FROM words WHERE rank % 200 = 7 ORDER BY rank');

sub index_sql { return "CREATE INDEX made ON items USING $_[0] (embedding vector_l2_ops)" }

# As many as asked for; the same contents
sub as_wanted
{
    my ($method) = @_;
    my %same;
    for my $wanted (0, 1, 3)
    {
        $node->safe_psql('postgres', "ALTER TABLE items SET (parallel_workers = $wanted)");
        is(workers_of(index_sql($method)), $wanted, "$wanted workers");
        $same{ $node->safe_psql('postgres', $contents{$method}) }++;
        check($node, 'made', "$wanted workers: sound");
        cmp_ok(recall($node, 'made', %what, settings => wide_search($method)), '>=', 0.95,
            "$wanted workers: recall") if $wanted == 3;
        $node->safe_psql('postgres', 'DROP INDEX made');
    }
    is(scalar keys %same, 1, 'the same contents for 0, 1 and 3 workers');
    return;
}

# Fewer than planned, none at all, and what the plan says
sub fewer
{
    my ($method) = @_;
    is(workers_of(index_sql($method), max_parallel_workers => 2), 2, 'two left of three');
    is(workers_of('REINDEX INDEX made', max_parallel_workers => 0), 0, 'none left of three');
    is(workers_of('REINDEX INDEX made'), 3, 'REINDEX');
    check($node, 'made', 'sound after it');
    is(workers_of('REINDEX INDEX made', max_parallel_maintenance_workers => 0), 0, 'none wanted');
    is(workers_of('REINDEX INDEX CONCURRENTLY made'), 3, 'REINDEX CONCURRENTLY');
    check($node, 'made', 'sound after it');
    $node->safe_psql('postgres', 'DROP INDEX made');
    is(workers_of("CREATE INDEX CONCURRENTLY made ON items USING $method (embedding vector_l2_ops)"), 3,
        'CREATE INDEX CONCURRENTLY');
    check($node, 'made', 'sound after it');
    $node->safe_psql('postgres', 'DROP INDEX made');
    my $wide = "CREATE INDEX made ON wide USING $method (v vector_cosine_ops)";
    is(workers_of("$wide; DROP INDEX made"), 1, 'by the size of the TOAST table');
    is(workers_of("$wide; DROP INDEX made", maintenance_work_mem => '4MB'), 0, 'too little memory');
    is(workers_of("$wide; DROP INDEX made", min_parallel_table_scan_size => '1GB'), 0, 'too small');
    is(workers_of("CREATE TEMP TABLE mine WITH (parallel_workers = 3) AS SELECT * FROM items;
        ALTER TABLE mine ALTER embedding TYPE vector(100);
        CREATE INDEX ON mine USING $method (embedding vector_l2_ops)"), 0, 'a temporary table');
    return;
}

# A value passes the gate in the leader only once a worker is in it too; a worker fails or stays there.
$node->safe_psql('postgres', q{
    CREATE FUNCTION gate(v vector) RETURNS vector LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
    BEGIN
        IF pg_backend_pid()::text = current_setting('test.leader') THEN
            IF EXISTS (SELECT FROM pg_stat_progress_create_index
                WHERE pid = pg_backend_pid() AND phase LIKE '%scanning table')
                AND NOT EXISTS (SELECT FROM pg_stat_get_activity(NULL)
                WHERE leader_pid = pg_backend_pid() AND wait_event = 'PgSleep') THEN
                PERFORM pg_sleep(0.001);
                PERFORM pg_stat_clear_snapshot();
            END IF;
        ELSIF current_setting('test.worker') = 'fails' THEN
            RAISE EXCEPTION 'refused by a worker';
        ELSE
            LOOP
                PERFORM pg_sleep(0.01);
            END LOOP;
        END IF;
        RETURN v;
    END $$;
    });

my $others = q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker'};
my $orphans = q{
    SELECT count(*) FROM pg_database, pg_ls_dir('base/' || pg_database.oid) AS file
    WHERE datname = 'postgres' AND file ~ '^t?[0-9]+' AND split_part(file, '_', 1)::text NOT IN
        (SELECT pg_relation_filenode(oid)::text FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL)};

sub nothing_left
{
    my ($name) = @_;
    ok($node->poll_query_until('postgres', "SELECT ($others) = 0"), "$name: no worker is left");
    is($node->safe_psql('postgres', q{SELECT to_regclass('made')}), '', "$name: no index");
    $node->safe_psql('postgres', 'CHECKPOINT');
    is($node->safe_psql('postgres', $orphans), '0', "$name: no file is left");
    return;
}

sub start_gated
{
    my ($method, $out, $err, $setting) = @_;
    my @statements = ($setting,
        q{SELECT set_config('test.leader', pg_backend_pid()::text, false)},
        "CREATE INDEX made ON items USING $method ((gate(embedding)::vector(100)) vector_l2_ops)",
        q{SELECT 'goes on'});
    return IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') . ' application_name=builder',
        map { ('-c', $_) } @statements ], '>', $out, '2>', $err);
}

sub worker_fails
{
    my ($method) = @_;
    my ($out, $err) = ('', '');
    start_gated($method, \$out, \$err, q{SET test.worker = 'fails'})->finish;
    like($err, qr/ERROR:  refused by a worker/, 'error in a worker: reported');
    like($out, qr/goes on/, 'error in a worker: the session goes on');
    nothing_left('error in a worker');
    return;
}

# Ends a build while a worker is in the gate; all by the SQL that is to hit it.
sub ended
{
    my ($method) = @_;
    my $builder = q{SELECT pid FROM pg_stat_activity
        WHERE application_name = 'builder' AND backend_type = 'client backend'};
    my $worker = q{SELECT pid FROM pg_stat_activity
        WHERE backend_type = 'parallel worker' AND wait_event = 'PgSleep' LIMIT 1};
    for my $case (
        [ 'cancel', "SELECT pg_cancel_backend(pid) FROM ($builder) AS b",
            qr/canceling statement due to user request/, 1 ],
        [ 'cancel of a worker', "SELECT pg_cancel_backend(pid) FROM ($worker) AS w", qr/canceling statement/, 1 ],
        [ 'end of a worker', "SELECT pg_terminate_backend(pid) FROM ($worker) AS w",
            qr/terminating .* due to administrator command/, 1 ],
        [ 'end of the leader', "SELECT pg_terminate_backend(pid) FROM ($builder) AS b",
            qr/terminating connection due to administrator command/, 0 ])
    {
        my ($name, $end, $message, $goes_on) = @$case;
        my ($out, $err) = ('', '');
        my $build = start_gated($method, \$out, \$err, q{SET test.worker = 'stays'});
        $node->poll_query_until('postgres', "SELECT EXISTS ($worker)") or die "no worker came: $err\n";
        ok($node->poll_query_until('postgres', q{SELECT phase = 'building index: scanning table'
            AND blocks_total > 0 FROM pg_stat_progress_create_index}), "$name: meets a scan");
        is($node->safe_psql('postgres', $end), 't', $name);
        $build->finish;
        like($err, $message, "$name: reported");
        unlike($err, qr/WARNING|PANIC/, "$name: without warnings");
        is($out =~ /goes on/ ? 1 : 0, $goes_on, "$name: whether the session goes on");
        nothing_left($name);
    }
    return;
}

for my $method (access_methods())
{
    subtest $method => sub {
        as_wanted($method);
        fewer($method);
        $node->safe_psql('postgres', 'ALTER TABLE items SET (parallel_workers = 2)');
        worker_fails($method);
        ended($method);
    };
}

done_testing();
