# VACUUM over time: churn neither grows the index nor costs recall, scans that are open keep what
# they see, and whatever runs beside it or cuts it short, the next VACUUM leaves a sound index.
use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;
use VectorAnn;

my $node = new_node('main', maintenance_work_mem => '256MB', shared_buffers => '256MB');
load_words($node);

sub size_of { return $node->safe_psql('postgres', "SELECT pg_relation_size('$_[0]')") }
sub count_of { return $node->safe_psql('postgres', "SELECT count(*) FROM $_[0]") }

# Runs a VACUUM that has something to remove, so that it also looks after the graph.
sub vacuum_and_check
{
    my ($table, $index, $name) = @_;
    $node->safe_psql('postgres',
        "DELETE FROM $table WHERE ctid = (SELECT ctid FROM $table LIMIT 1)");
    $node->safe_psql('postgres', "VACUUM $table");
    check($node, $index, $name);
    return;
}

# Twenty cycles replace a fifth of the rows each: the whole table four times over.
{
    my %what = (
        table => 'churn', column => 'embedding', operator => '<=>',
        queries => 'SELECT embedding FROM words WHERE rank % 100 = 7 ORDER BY rank',
        settings => 'SET hnsw.ef_search = 100;');
    $node->safe_psql('postgres', q{
        CREATE TABLE churn AS SELECT rank, embedding FROM words WHERE rank <= 4000;
        CREATE INDEX churn_index ON churn USING hnsw (embedding vector_cosine_ops);});
    my $size = size_of('churn_index');
    my $recall = recall($node, 'churn_index', %what);
    for my $cycle (0 .. 19)
    {
        # The window of 4000 ranks moves on by 800.
        my $first = $cycle * 800;
        $node->safe_psql('postgres', "DELETE FROM churn WHERE rank <= $first + 800");
        $node->safe_psql('postgres', 'VACUUM churn');
        $node->safe_psql('postgres', qq{
            INSERT INTO churn SELECT rank, embedding FROM words
            WHERE rank > $first + 4000 AND rank <= $first + 4800;});
    }
    is(count_of('churn'), 4000, 'as many rows as before');
    cmp_ok(size_of('churn_index'), '<=', 1.3 * $size, 'twenty cycles do not grow the index');
    vacuum_and_check('churn', 'churn_index', 'sound after twenty cycles');
    cmp_ok(recall($node, 'churn_index', %what), '>=', $recall - 0.03,
        'twenty cycles do not cost recall');
}

# VACUUM does not wait for a cursor, nor take a row from it, though the slots wait for it.
{
    $node->safe_psql('postgres', q{
        CREATE TABLE held AS SELECT rank, embedding FROM words WHERE rank <= 2000;
        CREATE TABLE later AS SELECT rank, embedding FROM words WHERE rank BETWEEN 2001 AND 4000;
        CREATE INDEX held_index ON held USING hnsw (embedding vector_l2_ops);});
    # One session holds the cursor; others run meanwhile.
    my $other = 'psql -X -q -d postgres -c';
    my $out = $node->safe_psql('postgres', qq{
        SET enable_seqscan = off;
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        DECLARE near CURSOR FOR SELECT rank FROM held
            ORDER BY embedding <-> (SELECT embedding FROM words WHERE rank = 7);
        FETCH 100 FROM near;
        \\! $other 'DELETE FROM held WHERE rank % 2 = 0'
        \\! $other 'VACUUM held'
        \\! $other 'INSERT INTO held SELECT * FROM later'
        \\! $other 'VACUUM held'
        FETCH ALL FROM near;
        COMMIT;});
    my @ranks = split /\n/, $out;
    is(count_of('held'), 3000, 'the other sessions did their work');
    my %seen = map { $_ => 1 } @ranks;
    is(scalar(@ranks), 2000, 'the cursor returns as many rows as its snapshot has');
    is(scalar(keys %seen), 2000, 'and none twice');
    is(scalar(grep { $_ > 2000 } @ranks), 0, 'and none that came later');
    vacuum_and_check('held', 'held_index', 'sound after the cursor');
}

# Everything goes, and the index fills again in the same file.
{
    my $size = size_of('held_index');
    $node->safe_psql('postgres', 'CREATE TABLE kept AS SELECT * FROM held');
    $node->safe_psql('postgres', 'DELETE FROM held');
    $node->safe_psql('postgres', 'VACUUM held');
    is($node->safe_psql('postgres', "SELECT elements, dead FROM hnsw_stats('held_index')"),
        '0|0', 'no element is left');
    check($node, 'held_index', 'sound when empty');
    $node->safe_psql('postgres', 'INSERT INTO held SELECT * FROM kept');
    cmp_ok(size_of('held_index'), '<=', 1.1 * $size, 'the index fills the space that it has');
    vacuum_and_check('held', 'held_index', 'sound when filled again');
    my %what = (
        table => 'held', column => 'embedding', operator => '<->',
        queries => 'SELECT embedding FROM words WHERE rank % 100 = 7 AND rank <= 10000',
        settings => 'SET hnsw.ef_search = 100;');
    cmp_ok(recall($node, 'held_index', %what), '>=', 0.95, 'recall when filled again');
}

# Inserts, updates, deletes and scans from several clients, with VACUUM after VACUUM beside them. A
# third of the vectors are shared by many rows.
$node->safe_psql('postgres', q{
    CREATE TABLE soak (id serial PRIMARY KEY, tag int DEFAULT 0, embedding vector(100));
    INSERT INTO soak (embedding) SELECT embedding FROM words WHERE rank <= 2000;
    CREATE INDEX soak_index ON soak USING hnsw (embedding vector_l2_ops);});

my %script = (
    write => q{
\set new random(1, 20000)
\set shared random(1, 20)
\set pick random(1, 3)
\set old random(1, 2000)
INSERT INTO soak (embedding) SELECT embedding FROM words
    WHERE rank = CASE WHEN :pick = 1 THEN :shared ELSE :new END;
DELETE FROM soak WHERE id = (SELECT id FROM soak
    WHERE id >= (SELECT max(id) - 2000 + :old FROM soak) ORDER BY id LIMIT 1);
UPDATE soak SET tag = tag + 1 WHERE id = (SELECT max(id) - :old FROM soak);
UPDATE soak SET embedding = (SELECT embedding FROM words WHERE rank = :new)
    WHERE id = (SELECT max(id) - :old / 2 FROM soak);
},
    read => q{
\set rank random(1, 20)
SET enable_seqscan = off;
SELECT 1 / (count(*) = count(DISTINCT id))::int FROM (SELECT id FROM soak
    ORDER BY embedding <-> (SELECT embedding FROM words WHERE rank = :rank) LIMIT 50) AS nearest;
},
    vacuum => "VACUUM soak;\n");
my %weight = (write => 3, read => 1, vacuum => 1);

# Starts pgbench on the named scripts; the caller finishes it.
sub start_pgbench
{
    my ($options, @names) = @_;
    my @files;
    for my $name (@names)
    {
        my $file = $node->basedir . "/$name.sql";
        append_to_file($file, $script{$name}) unless -e $file;
        push @files, '-f', "$file\@$weight{$name}";
    }
    my ($out, $err) = ('', '');
    my $run = IPC::Run::start(
        [ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, @$options, @files, 'postgres' ],
        '>', \$out, '2>', \$err);
    return { run => $run, err => \$err };
}

{
    my $writers = start_pgbench([ '-c', 4, '-t', 500 ], 'write', 'read');
    my $vacuum = start_pgbench([ '-c', 1, '-t', 25 ], 'vacuum');
    ok($vacuum->{run}->finish, 'VACUUM never fails') or diag(${ $vacuum->{err} });
    ok($writers->{run}->finish, 'clients never fail') or diag(${ $writers->{err} });
    vacuum_and_check('soak', 'soak_index', 'sound after the soak');
    is($node->safe_psql('postgres', q{
            SET enable_seqscan = off; SET enable_sort = off;
            SELECT count(*) = (SELECT count(*) FROM soak) AND count(DISTINCT id) = count(*)
            FROM (SELECT id FROM soak ORDER BY embedding <->
                (SELECT embedding FROM words WHERE rank = 1) LIMIT 1000000) AS everything}),
        't', 'the index returns every row once');
}

# A VACUUM that is cut short loses nothing: the next one goes on from what it finds.
{
    my $cut = 0;
    for my $timeout (1, 2, 4, 8, 16, 32)
    {
        $node->safe_psql('postgres', "DELETE FROM soak WHERE id % 37 = $timeout");
        my $status = $node->psql('postgres', "SET statement_timeout = $timeout;\nVACUUM soak");
        $cut++ if $status != 0;
        check($node, 'soak_index', "sound after a VACUUM of at most $timeout ms");
    }
    note("$cut VACUUMs were cut short");
    vacuum_and_check('soak', 'soak_index', 'sound after the VACUUM that followed');
    is($node->safe_psql('postgres', "SELECT dead FROM hnsw_stats('soak_index')"), '0',
        'no element is left dead');
}

# Crashes under load.
for my $round (1 .. 3)
{
    my $writers = start_pgbench([ '-c', 3, '-t', 100000 ], 'write', 'read');
    my $vacuum = start_pgbench([ '-c', 1, '-t', 100000 ], 'vacuum');
    my $wanted = 500 + $node->safe_psql('postgres', 'SELECT max(id) FROM soak');
    $node->poll_query_until('postgres', "SELECT max(id) > $wanted FROM soak");
    $node->stop('immediate');
    $_->{run}->finish for $writers, $vacuum;
    $node->start;
    vacuum_and_check('soak', 'soak_index', "sound after crash $round");
}

done_testing();
