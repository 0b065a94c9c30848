# VACUUM and organising of ivfpq indexes over time: lists follow the rows, churn does not grow the index, no
# row is lost or doubled beside readers and writers, here or on a standby, and whatever cuts a run short,
# the next one leaves a sound index.
use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;
use VectorAnn;

my $node = new_node('main', maintenance_work_mem => '64MB', shared_buffers => '256MB',
    restart_after_crash => 'on');
load_words($node);

sub size_of { return $node->safe_psql('postgres', "SELECT pg_relation_size('$_[0]')") }
sub maintain { return $node->safe_psql('postgres', "SELECT * FROM ivfpq_maintain('$_[0]')") }

# "rows|distinct rows|rows of the table", the first two by a scan of the whole index. One statement, one
# snapshot, and so true beside writers.
$node->safe_psql('postgres', q{
    CREATE FUNCTION index_tids(name regclass, query vector) RETURNS SETOF tid LANGUAGE plpgsql
        SET enable_seqscan = off SET enable_sort = off STABLE AS $$
        BEGIN
            RETURN QUERY EXECUTE format('SELECT ctid FROM %s ORDER BY embedding <-> $1', name)
            USING query;
        END $$;
    CREATE FUNCTION table_rows(name regclass) RETURNS bigint LANGUAGE plpgsql
        SET enable_indexscan = off SET enable_indexonlyscan = off STABLE AS $$
        DECLARE rows bigint;
        BEGIN
            EXECUTE format('SELECT count(*) FROM %s', name) INTO rows;
            RETURN rows;
        END $$;
    CREATE FUNCTION whole(name regclass, rank int, OUT rows bigint, OUT tids bigint,
        OUT stored bigint) LANGUAGE sql STABLE AS $$
        SELECT count(*), count(DISTINCT found), table_rows(name)
        FROM index_tids(name, (SELECT embedding FROM words WHERE words.rank = $2)) AS found $$;});

sub is_whole
{
    my ($table, $name) = @_;
    my ($rows, $tids, $stored) =
        split /\|/, $node->safe_psql('postgres', "SELECT * FROM whole('$table', 7)");
    is("$rows $tids", "$stored $stored", $name);
    return;
}

# After one run no list is to be split or merged. Of some the centroid may have to follow rows that others gave
# or took in that run; the next one finds nothing.
sub is_organised
{
    my ($index, $name) = @_;
    like(maintain($index), qr/^0\|0\|\d\|0\|/, "one run after $name leaves next to nothing to organise");
    like(maintain($index), qr/^0\|0\|0\|0\|/, "and two leave nothing");
    return;
}

my %what = (column => 'embedding', operator => '<->',
    queries => 'SELECT embedding FROM words WHERE rank % 200 = 7 ORDER BY rank');

# From nothing by INSERT to 50,000 rows: one list becomes hundreds.
{
    $node->safe_psql('postgres', q{
        CREATE TABLE grown (id serial, embedding vector(100));
        CREATE INDEX grown_index ON grown USING ivfpq (embedding vector_l2_ops);
        INSERT INTO grown (embedding) SELECT embedding FROM words;
        INSERT INTO grown (embedding) SELECT (a.embedding + b.embedding) * array_fill(0.5::real, ARRAY[100])::vector
            FROM words a JOIN words b ON b.rank = (a.rank * 7919) % 20000 + 1;
        INSERT INTO grown (embedding) SELECT a.embedding - b.embedding
            FROM words a JOIN words b ON b.rank = (a.rank * 104729) % 20000 + 1 WHERE a.rank <= 10000;});
    $node->safe_psql('postgres', 'VACUUM grown');
    is_whole('grown', 'every row once after the first VACUUM');
    cmp_ok(recall($node, 'grown_index', %what, table => 'grown'), '>=', 0.9, 'recall after growth');
    is_organised('grown_index', 'growth');
    my $size = size_of('grown_index');
    $node->safe_psql('postgres', 'DELETE FROM grown WHERE id % 2 = 0');
    $node->safe_psql('postgres', 'VACUUM grown');
    is($node->safe_psql('postgres', q{SELECT reltuples FROM pg_class WHERE relname = 'grown_index'}),
        $node->safe_psql('postgres', 'SELECT count(*) FROM grown'), 'VACUUM counts the rows');
    is_whole('grown', 'every row once with half of them gone');
}

# Half of the rows go, others come elsewhere: lists follow, as if the index were built of what is there.
{
    $node->safe_psql('postgres', q{
        CREATE TABLE drift AS SELECT rank, embedding FROM words WHERE rank <= 10000;
        CREATE INDEX drift_index ON drift USING ivfpq (embedding vector_l2_ops);});
    $node->safe_psql('postgres', 'VACUUM drift');
    $node->safe_psql('postgres', q{
        DELETE FROM drift WHERE rank % 2 = 0;
        INSERT INTO drift SELECT rank, embedding + array_fill(0.4::real, ARRAY[100])::vector
            FROM words WHERE rank > 10000;});
    my %drift = (%what, queries => 'SELECT embedding FROM drift WHERE rank % 100 = 7 ORDER BY rank');
    note('before VACUUM: recall ' . recall($node, 'drift_index', %drift, table => 'drift'));
    $node->safe_psql('postgres', 'VACUUM drift');
    is_whole('drift', 'every row once after the drift');
    is_organised('drift_index', 'the drift');
    $node->safe_psql('postgres', q{
        CREATE TABLE anew AS SELECT * FROM drift;
        CREATE INDEX anew_index ON anew USING ivfpq (embedding vector_l2_ops);});
    $node->safe_psql('postgres', 'VACUUM anew');
    # Each has measured its own probes, to find 95 % by.
    cmp_ok(recall($node, 'drift_index', %drift, table => 'drift'), '>=', 0.9, 'recall with its own probes');
    my @equal = (%drift, settings => 'SET ivfpq.probes = 15;');
    my $anew = recall($node, 'anew_index', @equal, table => 'anew');
    my $followed = recall($node, 'drift_index', @equal, table => 'drift');
    note("15 probes: a new index finds $anew, one that has followed $followed");
    cmp_ok($followed, '>=', $anew - 0.06, 'recall nearly as of a new index');
    # The first run has divided all lists that are more than twice as long as wanted.
    cmp_ok($node->safe_psql('postgres', q{SELECT largest_list FROM ivfpq_stats('drift_index')}), '<=',
        2.1 * sqrt($node->safe_psql('postgres', 'SELECT count(*) FROM drift')), 'no long list is left');
}

# Twenty cycles replace a fifth of the rows each.
{
    $node->safe_psql('postgres', q{
        CREATE TABLE churn AS SELECT rank, embedding FROM words WHERE rank <= 4000;
        CREATE INDEX churn_index ON churn USING ivfpq (embedding vector_l2_ops);});
    my $size;
    for my $cycle (0 .. 19)
    {
        # The window of 4000 ranks moves on by 800.
        my $first = $cycle * 800;
        $node->safe_psql('postgres', "DELETE FROM churn WHERE rank <= $first + 800");
        $node->safe_psql('postgres', 'VACUUM churn');
        $node->safe_psql('postgres', qq{
            INSERT INTO churn SELECT rank, embedding FROM words
            WHERE rank > $first + 4000 AND rank <= $first + 4800;});
        $size = size_of('churn_index') if $cycle == 4;
    }
    is_whole('churn', 'every row once after twenty cycles');
    cmp_ok(size_of('churn_index'), '<=', 1.3 * $size, 'fifteen further cycles do not grow the index');
}

# VACUUM does not wait for a cursor, nor take a row from it, though everything moves meanwhile.
{
    $node->safe_psql('postgres', q{
        CREATE TABLE held AS SELECT rank, embedding FROM words WHERE rank <= 4000;
        CREATE TABLE later AS SELECT rank, embedding FROM words WHERE rank BETWEEN 4001 AND 8000;
        CREATE INDEX held_index ON held USING ivfpq (embedding vector_l2_ops);});
    $node->safe_psql('postgres', 'VACUUM held');
    my $session = open_session($node);
    my $out = ask($session, q{
        SET enable_seqscan = off;
        SET ivfpq.probes = 1;
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        DECLARE near CURSOR FOR SELECT rank FROM held
            ORDER BY embedding <-> (SELECT embedding FROM words WHERE rank = 7);
        FETCH 100 FROM near;});
    $node->safe_psql('postgres', $_)
        for 'DELETE FROM held WHERE rank % 8 > 0', 'VACUUM held',
        ('INSERT INTO held SELECT * FROM later', 'VACUUM held') x 2;
    cmp_ok($node->safe_psql('postgres', q{SELECT retired_lists FROM ivfpq_stats('held_index')}), '>', 0,
        'lists wait for the cursor');
    $out .= ask($session, 'FETCH ALL FROM near; COMMIT;');
    close_session($session);
    my @ranks = split /\n/, $out;
    my %seen = map { $_ => 1 } @ranks;
    is(scalar(@ranks), 4000, 'the cursor returns as many rows as its snapshot has');
    is(scalar(keys %seen), 4000, 'and none twice');
    is(scalar(grep { $_ > 4000 } @ranks), 0, 'and none that came later');
    is_whole('held', 'every row once after the cursor');
}

# Of a temporary table other sessions' transactions tell nothing: a cursor of the session itself keeps what it
# has still to read, however many transactions begin and end beside the runs.
{
    $node->safe_psql('postgres', 'CREATE TABLE enough ()');
    my ($in, $out, $err) = ('', '', '');
    my $beside = IPC::Run::start([ 'psql', '-X', '-h', $node->host, '-p', $node->port, '-c', q{
        DO 'BEGIN LOOP PERFORM txid_current(); COMMIT; EXIT WHEN EXISTS (SELECT FROM enough); END LOOP; END'},
        'postgres' ], '<', \$in, '>', \$out, '2>', \$err);
    my $then = $node->safe_psql('postgres', 'SELECT txid_current()');
    $node->poll_query_until('postgres', "SELECT txid_snapshot_xmax(txid_current_snapshot()) > $then + 10");
    my @ranks = split /\n/, $node->safe_psql('postgres', q{
        SET enable_seqscan = off;
        SET ivfpq.probes = 1;
        CREATE TEMPORARY TABLE own (rank int, embedding vector(100));
        CREATE INDEX own_index ON own USING ivfpq (embedding vector_l2_ops);
        INSERT INTO own SELECT rank, embedding FROM words;
        BEGIN;
        DECLARE near CURSOR FOR SELECT rank FROM own
            ORDER BY embedding <-> (SELECT embedding FROM words WHERE rank = 7);
        FETCH 1 FROM near;
        DO 'BEGIN FOR i IN 1 .. 3 LOOP PERFORM ivfpq_maintain($$own_index$$); END LOOP; END';
        FETCH ALL FROM near;
        COMMIT;});
    $node->safe_psql('postgres', 'INSERT INTO enough DEFAULT VALUES');
    ok($beside->finish, 'transactions ran beside') or diag($err);
    my %seen = map { $_ => 1 } @ranks;
    is(scalar(@ranks) . ' ' . scalar(keys %seen), '20000 20000', 'the cursor on a temporary table has each row once');
}

# A table whose index has a few long lists and, with pq, no codebooks yet: a run divides, moves and codes
# nearly all that there is.
sub make_overfull
{
    my ($table, $codec) = @_;
    $node->safe_psql('postgres', qq{
        DROP TABLE IF EXISTS $table;
        CREATE TABLE $table (rank int, embedding vector(100));
        CREATE INDEX ${table}_index ON $table USING ivfpq (embedding vector_l2_ops) WITH (codec = $codec);
        INSERT INTO $table SELECT rank, embedding FROM words;
        DELETE FROM $table WHERE rank % 20 = 3;});
    return;
}

# Each row once by a scan, and after a run that finishes also in the lists.
sub is_settled
{
    my ($table, $name) = @_;
    is_whole($table, "$name: every row once");
    check($node, "${table}_index", "$name: sound");
    # However few rows are dead
    $node->safe_psql('postgres', "VACUUM (INDEX_CLEANUP on) $table");
    is_whole($table, "$name: every row once after VACUUM");
    is(rows_in($node, "${table}_index"), $node->safe_psql('postgres', "SELECT count(*) FROM $table"),
        "$name: and once in the lists");
    check($node, "${table}_index", "$name: sound after VACUUM");
    return;
}

sub wal_position { return $node->safe_psql('postgres', q{SELECT pg_current_wal_insert_lsn() - '0/0'}) }

# Waits until the session `run` has come, and then has written the WAL up to the goal; its pid, or null if it
# ended before.
$node->safe_psql('postgres', q{
    CREATE FUNCTION meet_run(goal numeric) RETURNS int LANGUAGE plpgsql AS $$
    DECLARE
        met int;
        run int;
    BEGIN
        FOR tries IN 1 .. 60000 LOOP
            PERFORM pg_stat_clear_snapshot();
            SELECT pid INTO run FROM pg_stat_activity WHERE application_name = 'run';
            IF run IS NULL AND met IS NOT NULL THEN RETURN NULL; END IF;
            met := run;
            IF met IS NOT NULL AND pg_current_wal_insert_lsn() - '0/0' >= goal THEN RETURN met; END IF;
            PERFORM pg_sleep(0.001);
        END LOOP;
        RAISE 'the run was not met';
    END $$;});

# Starts the statement and ends it once it has written so many bytes of WAL; false when it was over before. Cost
# limits stretch it so that it is met in any part.
sub cut_run
{
    my ($statement, $bytes, $how) = @_;
    my $goal = int(wal_position() + $bytes);
    my ($out, $err) = ('', '');
    my $run = IPC::Run::start([ 'psql', '-X', '-d', $node->connstr('postgres') . ' application_name=run',
        map { ('-c', $_) } 'SET vacuum_cost_delay = 1', 'SET vacuum_cost_limit = 300', $statement ],
        '>', \$out, '2>', \$err);
    my $pid = $node->safe_psql('postgres', "SELECT meet_run($goal)");
    $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)") if $how eq 'cancel' && $pid;
    kill 'KILL', $pid if $how eq 'kill' && $pid;
    $node->stop('immediate') if $how eq 'stop';
    $run->finish;
    $node->start if $how eq 'stop';
    $node->poll_query_until('postgres', 'SELECT true');  # after a kill, once recovery is over
    return $err ne '';
}

# Runs cut short in each part of their WAL: before, while and after codebooks are trained, while lists are
# built, enter the directory and are retired, and while rows move between lists.
for my $case ([ 'pq', 'VACUUM cut' ], [ 'rabitq', q{SELECT ivfpq_maintain('cut_index')} ])
{
    my ($codec, $statement) = @$case;
    make_overfull('cut', $codec);
    my $begin = wal_position();
    $node->safe_psql('postgres', $statement);
    my $bytes = wal_position() - $begin;
    my @how = ('cancel', 'kill', 'stop');
    my $met = 0;
    for my $part (1 .. 6)
    {
        my $how = $how[ ($part + ($codec eq 'pq')) % 3 ];
        make_overfull('cut', $codec);
        $met++ if cut_run($statement, $bytes * $part / 7, $how);
        is_settled('cut', "$codec, $how at $part sevenths");
    }
    cmp_ok($met, '>=', 4, "$codec: runs were cut short");
}

# What clients do, by name. Vectors are of very different lengths, and the window of rows moves on, so that lists
# are split and merged all the time.
my %script = (
    write => q{
\set first random(1, 19000)
\set count random(1, 150)
\set length random(50, 200)
INSERT INTO soak (embedding)
    SELECT embedding * array_fill((:length / 100.0)::real, ARRAY[100])::vector
    FROM words WHERE rank BETWEEN :first AND :first + :count;
DELETE FROM soak WHERE id IN (SELECT id FROM soak ORDER BY id LIMIT :count FOR UPDATE SKIP LOCKED);
},
    # A scan that does not return each row once divides by zero.
    read => q{
\set rank random(1, 20000)
SELECT 1 / (rows = tids AND rows = stored)::int FROM whole('soak', :rank);
},
    vacuum => "VACUUM soak;\n",
    maintain => "SELECT ivfpq_maintain('soak_index');\n",
    first => q{
\set rank random(1, 20000)
INSERT INTO born SELECT rank, embedding FROM words WHERE rank = :rank;
},
    many => "INSERT INTO born SELECT rank, embedding FROM words WHERE rank % 7 = 1;\n",
    train => "SELECT ivfpq_maintain('born_index');\n",
    whole => q{
\set rank random(1, 20000)
SELECT 1 / (rows = tids AND rows = stored)::int FROM whole('born', :rank);
});

sub start_clients
{
    my ($server, $options, @names) = @_;
    my @files;
    for my $name (@names)
    {
        my $file = $node->basedir . "/$name.sql";
        append_to_file($file, $script{$name}) unless -e $file;
        push @files, '-f', $file;
    }
    my ($out, $err) = ('', '');
    my $run = IPC::Run::start(
        [ 'pgbench', '-n', '-h', $server->host, '-p', $server->port, @$options, @files, 'postgres' ],
        '>', \$out, '2>', \$err);
    return { run => $run, err => \$err };
}

sub finish_clients
{
    my ($name, @runs) = @_;
    ok($_->{run}->finish, "$name: clients never fail") or diag(${ $_->{err} }) for @runs;
    return;
}

# An index that is created empty gets its mean by the first insert, whoever comes first, and its codebooks by
# the first run that finds rows enough, while clients insert with the old ones.
for my $codec ('pq', 'rabitq')
{
    $node->safe_psql('postgres', qq{
        DROP TABLE IF EXISTS born;
        CREATE TABLE born (rank int, embedding vector(100));
        CREATE INDEX born_index ON born USING ivfpq (embedding vector_l2_ops) WITH (codec = $codec);});
    crash_restart($node) if $codec eq 'pq';
    finish_clients("$codec, from nothing",
        start_clients($node, [ '-c', 6, '-j', 2, '-t', 300 ], 'first'),
        start_clients($node, [ '-c', 1, '-t', 3 ], 'many'),
        start_clients($node, [ '-c', 2, '-t', 60 ], 'train', 'whole'));
    is_settled('born', "$codec, from nothing");
    is($node->safe_psql('postgres', q{SELECT has_mean, codebook_version FROM ivfpq_meta('born_index')}),
        $codec eq 'pq' ? 't|1' : 't|0', "$codec: the mean and codebooks are there");
    cmp_ok(recall($node, 'born_index', %what, table => 'born', settings => wide_search('ivfpq')), '>=', 0.95,
        "$codec: recall from nothing");
}

# A statement that began before codebooks were trained, and others since, do not add pages in turn.
{
    $node->safe_psql('postgres', q{
        DROP TABLE born;
        CREATE TABLE born (rank int, embedding vector(100));
        CREATE INDEX born_index ON born USING ivfpq (embedding vector_l2_ops) WITH (codec = pq);
        INSERT INTO born SELECT rank, embedding FROM words WHERE rank <= 6000;});
    my $session = open_session($node);
    $session->{in} .= "INSERT INTO born SELECT rank, embedding FROM words WHERE rank <= 1500"
        . " AND pg_sleep(0.001) IS NOT NULL;\n";
    $session->{run}->pump_nb;
    $node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE wait_event = 'PgSleep')}) or die 'the statement did not begin';
    maintain('born_index');
    my $before = $node->safe_psql('postgres', q{SELECT scan_pages FROM ivfpq_stats('born_index')});
    finish_clients('beside a long statement', start_clients($node, [ '-c', 1, '-t', 1500 ], 'first'));
    ask($session, 'SELECT 1;');
    close_session($session);
    my $pages = $node->safe_psql('postgres', q{SELECT scan_pages FROM ivfpq_stats('born_index')});
    note("$before pages, then $pages");
    cmp_ok($pages, '<=', 2 * $before, 'codebooks: 3,000 rows take no more pages than 6,000 rows do');
    is_settled('born', 'codebooks');
}

# The first row's insert is rolled back, or its server ends: the mean stays, or comes with the next one.
for my $end ('ROLLBACK', 'crash')
{
    $node->safe_psql('postgres', q{
        DROP TABLE born;
        CREATE TABLE born (rank int, embedding vector(100));
        CREATE INDEX born_index ON born USING ivfpq (embedding vector_cosine_ops);});
    my $session = open_session($node);
    ask($session, 'BEGIN; INSERT INTO born SELECT rank, embedding FROM words WHERE rank <= 3;');
    if ($end eq 'crash')
    {
        $node->stop('immediate');
        eval { close_session($session) };
        $node->start;
    }
    else
    {
        ask($session, 'ROLLBACK;');
        close_session($session);
    }
    check($node, 'born_index', "$end of the first insert: sound");
    $node->safe_psql('postgres', 'INSERT INTO born SELECT rank, embedding FROM words WHERE rank <= 2000');
    all_found($node, 'born', 'born_index', "$end of the first insert, rows", '<=>');
    $node->safe_psql('postgres', 'VACUUM born');
    all_found($node, 'born', 'born_index', "$end of the first insert, VACUUM", '<=>');
}

# Inserts and deletes from several clients, with VACUUM and ivfpq_maintain() beside them.
$node->safe_psql('postgres', q{
    CREATE TABLE soak (id serial PRIMARY KEY, embedding vector(100));
    INSERT INTO soak (embedding) SELECT embedding FROM words WHERE rank <= 3000;
    CREATE INDEX soak_index ON soak USING ivfpq (embedding vector_l2_ops);});
finish_clients('soak', start_clients($node, [ '-c', 3, '-t', 200 ], 'write'),
    start_clients($node, [ '-c', 2, '-t', 60 ], 'read'),
    start_clients($node, [ '-c', 2, '-t', 100 ], 'vacuum', 'maintain'));
is_settled('soak', 'soak');

# Crashes under load
for my $round (1 .. 3)
{
    my @runs = (start_clients($node, [ '-c', 3, '-t', 100000 ], 'write'),
        start_clients($node, [ '-c', 1, '-t', 100000 ], 'vacuum', 'maintain'));
    my $wanted = 5000 + $node->safe_psql('postgres', 'SELECT max(id) FROM soak');
    $node->poll_query_until('postgres', "SELECT max(id) > $wanted FROM soak");
    $node->stop('immediate');
    $_->{run}->finish for @runs;
    $node->start;
    is_settled('soak', "crash $round");
}

# A standby replays it all to the byte, organises nothing itself, and its scans find each row while lists are
# split, merged and given back under them.
{
    $node->append_conf('postgresql.conf', "wal_consistency_checking = 'all'\n");
    $node->reload;
    my $standby = standby($node, 'standby');
    $standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nwal_receiver_status_interval = 1s\n");
    $standby->reload;
    $node->poll_query_until('postgres', 'SELECT count(backend_xmin) = 1 FROM pg_stat_replication')
        or die 'no feedback';
    finish_clients('beside the standby', start_clients($node, [ '-c', 2, '-t', 150 ], 'write'),
        start_clients($node, [ '-c', 1, '-t', 60 ], 'vacuum', 'maintain'),
        start_clients($standby, [ '-c', 2, '-t', 80 ], 'read'));
    # VACUUM keeps what the standby last said that it needs.
    my $last = $node->safe_psql('postgres', 'SELECT txid_current()');
    wait_for_standby($node, $standby);
    $node->poll_query_until('postgres', "SELECT backend_xmin::text::bigint > $last FROM pg_stat_replication")
        or die 'no feedback';
    is_settled('soak', 'beside the standby');
    wait_for_standby($node, $standby);
    is($standby->safe_psql('postgres', "SELECT * FROM whole('soak', 7)"),
        $node->safe_psql('postgres', "SELECT * FROM whole('soak', 7)"), 'every row once on the standby');
    check($standby, 'soak_index', 'sound on the standby');

    $standby->append_conf('postgresql.conf', "hot_standby_feedback = off\n");
    $standby->reload;
    $node->poll_query_until('postgres', 'SELECT bool_and(backend_xmin IS NULL) FROM pg_stat_replication')
        or die 'still feedback';
    $node->safe_psql('postgres', q{
        CREATE TABLE copied AS SELECT rank, embedding FROM words WHERE rank <= 5000;
        CREATE INDEX copied_index ON copied USING ivfpq (embedding vector_l2_ops);});
    maintain('copied_index') for 1 .. 2;
    wait_for_standby($node, $standby);
    # The primary knows nothing of a cursor there: pages that it has still to read are used again. It may end
    # early, but reads on, and returns nothing that it should not.
    my $primary = 'psql -X -q -o /dev/null -d postgres -h ' . $node->host . ' -p ' . $node->port;
    my $insert = 'INSERT INTO copied SELECT rank, embedding FROM words WHERE rank > 5000';
    my $replay = q{DO 'DECLARE written pg_lsn := pg_current_wal_lsn(); BEGIN
        WHILE EXISTS (SELECT FROM pg_stat_replication WHERE replay_lsn < written) LOOP
        PERFORM pg_sleep(0.01); END LOOP; END'} =~ s/\s+/ /gr;
    my @ranks = split /\n/, $standby->safe_psql('postgres', qq{
        SET enable_seqscan = off;
        SET ivfpq.probes = 1;
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        DECLARE near CURSOR FOR SELECT rank FROM copied
            ORDER BY embedding <-> (SELECT embedding FROM words WHERE rank = 7);
        FETCH 100 FROM near;
        \\! for i in 1 2 3; do $primary -c "$insert" -c "SELECT ivfpq_maintain('copied_index')"; done
        \\! $primary -c "$replay"
        FETCH ALL FROM near;
        COMMIT;});
    my %seen = map { $_ => 1 } @ranks;
    is(scalar(keys %seen), scalar(@ranks), 'a cursor on the standby returns no row twice');
    is(scalar(grep { $_ > 5000 } @ranks), 0, 'and none that came later');
    cmp_ok(scalar(@ranks), '<', 5000, 'its pages were used again');
    wait_for_standby($node, $standby);
    is($standby->safe_psql('postgres', "SELECT rows = tids AND tids = stored FROM whole('copied', 7)"), 't',
        'and scans that begin then miss none');
    my ($status, $out, $err) = $standby->psql('postgres', "SELECT ivfpq_maintain('soak_index')");
    like($err, qr/recovery is in progress/, 'a standby does not organise');
}

done_testing();
