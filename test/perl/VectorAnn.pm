# VectorAnn.pm - what the TAP tests of vector_ann share: servers with the extension, recall against
# exact search, crashes, standbys, and the index check that closes every scenario.
package VectorAnn;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_node crash_restart standby wait_for_standby neighbors recall check
    load_words uses_index access_methods wide_search narrow_search rows_in all_found
    open_session ask close_session);

# What tests that run for every access method need of each: settings of a search that finds nearly all, of a
# search that finds few, and the functions that inspect an index.
my %access = (
    hnsw => {
        wide => 'SET hnsw.ef_search = 100;', narrow => 'SET hnsw.ef_search = 20;',
        check => 'hnsw_check', rows => 'heap_tids FROM hnsw_stats'
    },
    ivfpq => {
        wide => 'SET ivfpq.probes = 60;', narrow => 'SET ivfpq.probes = 1;',
        check => 'ivfpq_check', rows => 'rows FROM ivfpq_stats'
    });

# The names of the access methods, in a fixed order.
sub access_methods { return sort keys %access; }

# wide_search($method), narrow_search($method): SQL that sets up such a search.
sub wide_search { return $access{ $_[0] }{wide}; }
sub narrow_search { return $access{ $_[0] }{narrow}; }

# new_node($name, setting => value, ...): a running server with the extension in `postgres`. It can
# feed a standby, and its checkpoints are far apart so that recovery has WAL to replay.
sub new_node
{
    my ($name, %settings) = @_;
    my $node = PostgreSQL::Test::Cluster->new($name);
    $node->init(allows_streaming => 1);
    # A standby that a crash of its primary cuts off finds its WAL there when it comes back.
    %settings = (checkpoint_timeout => '1h', max_wal_size => '4GB', wal_keep_size => '2GB',
        autovacuum => 'off', %settings);
    $node->append_conf('postgresql.conf', "$_ = '$settings{$_}'\n") for sort keys %settings;
    $node->start;
    $node->safe_psql('postgres', 'CREATE EXTENSION vector_ann');
    return $node;
}

# crash_restart($node): ends the server without a checkpoint, as a power failure would, and lets
# recovery replay the WAL.
sub crash_restart
{
    my ($node) = @_;
    $node->stop('immediate');
    $node->start;
    return;
}

# standby($primary, $name): a streaming standby of a new base backup, started.
sub standby
{
    my ($primary, $name) = @_;
    my $standby = PostgreSQL::Test::Cluster->new($name);
    $primary->backup("backup_$name");
    $standby->init_from_backup($primary, "backup_$name", has_streaming => 1);
    $standby->start;
    return $standby;
}

# wait_for_standby($primary, $standby): until everything written so far can be read there.
sub wait_for_standby
{
    my ($primary, $standby) = @_;
    $primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
    return;
}

# open_session($node): a session that stays, with what it holds, while others work.
sub open_session
{
    my ($node) = @_;
    my $session = { in => '', out => '', err => '' };
    $session->{timer} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
    $session->{run} = IPC::Run::start(
        [ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ],
        '<', \$session->{in}, '>', \$session->{out}, '2>', \$session->{err}, $session->{timer});
    return $session;
}

# ask($session, $sql): what the statements return, in lines. Dies when one of them fails.
sub ask
{
    my ($session, $sql) = @_;
    $session->{timer}->start;
    $session->{in} .= "$sql\n\\echo answered\n";
    $session->{run}->pump until $session->{out} =~ s/^answered\n\z//m || !$session->{run}->pumpable;
    die "the session ended: $session->{err}\n" if $session->{err} =~ /ERROR|FATAL|PANIC/;
    my $answer = $session->{out};
    $session->{out} = '';
    return $answer;
}

sub close_session
{
    my ($session) = @_;
    $session->{in} .= "\\q\n";
    $session->{run}->finish;
    return;
}

# load_words($node): the table words(rank, word, embedding vector(100)) of test/data.
sub load_words
{
    my ($node) = @_;
    my $file = "$ENV{VANN_TEST_DATA}/words.tsv.gz";
    $node->safe_psql('postgres', qq{
        CREATE TABLE words (rank int PRIMARY KEY, word text NOT NULL, embedding vector(100));
        COPY words FROM PROGRAM 'gzip -dc "$file"';
        ANALYZE words;});
    return;
}

# Settings that leave the planner one way to order by distance.
my %only = (
    index => 'SET enable_seqscan = off; SET enable_sort = off;',
    exact => 'SET enable_indexscan = off; SET enable_indexonlyscan = off;');

# The statement that finds the k nearest rows of each query vector, as "query|distance|row" lines.
# %what: table, column, operator; queries (SQL that returns vectors in a fixed order), k
# (default 10), where (a condition on the table, optional), settings (SQL run first, optional).
sub nearest_sql
{
    my (%what) = @_;
    my $k = $what{k} // 10;
    my $where = defined $what{where} ? "WHERE $what{where}" : '';
    return qq{
        WITH query AS MATERIALIZED (
            SELECT row_number() OVER () AS number, vectors.* FROM ($what{queries}) AS vectors (v))
        SELECT number, distance, place FROM query, LATERAL (
            SELECT $what{column} $what{operator} query.v AS distance, ctid AS place
            FROM $what{table} $where
            ORDER BY $what{column} $what{operator} query.v LIMIT $k) AS nearest
        ORDER BY number, distance};
}

# uses_index($node, $index, %what): whether the plan of that statement reads the index.
sub uses_index
{
    my ($node, $index, %what) = @_;
    my $plan = $node->safe_psql('postgres',
        "$only{index} " . ($what{settings} // '') . ' EXPLAIN (COSTS OFF) ' . nearest_sql(%what));
    return $plan =~ /Index Scan using \Q$index\E /;
}

# neighbors($node, $way, %what): per query the ascending distances of the rows found, where $way is
# 'index' or 'exact'. Dies when a row comes twice. Reads only, so it runs on a standby.
sub neighbors
{
    my ($node, $way, %what) = @_;
    my $out = $node->safe_psql('postgres',
        "$only{$way} " . ($what{settings} // '') . nearest_sql(%what));
    my (%distances, %seen);
    for my $line (split /\n/, $out)
    {
        my ($query, $distance, $row) = split /\|/, $line;
        die "$way search returned row $row twice\n" if $seen{"$query $row"}++;
        push @{ $distances{$query} }, $distance;
    }
    return \%distances;
}

# recall($node, $index, %what): the share of the exact k nearest rows that the index finds. Rows as
# near as the exact k-th count as found, so that ties do not matter. Fails the test when the plan
# does not use the index or the index returns fewer rows than exact search: LIMIT k means k rows.
sub recall
{
    my ($node, $index, %what) = @_;
    ok(uses_index($node, $index, %what), "plan uses $index");
    my $exact = neighbors($node, 'exact', %what);
    my $found = neighbors($node, 'index', %what);
    my ($expected, $hits, $short) = (0, 0, 0);
    for my $query (keys %$exact)
    {
        my @wanted = @{ $exact->{$query} };
        my @got = @{ $found->{$query} // [] };
        $short++ if @got < @wanted;
        $expected += @wanted;
        $hits += grep { $_ <= $wanted[-1] } @got;
    }
    is($short, 0, "$index returns as many rows as exact search");
    die "no query returned a row\n" if $expected == 0;
    return $hits / $expected;
}

# The entry of %access for an index; ivfflat is another name of ivfpq.
sub access_of
{
    my ($node, $index) = @_;
    my $method = $node->safe_psql('postgres', qq{
        SELECT amname FROM pg_am JOIN pg_class ON relam = pg_am.oid
        WHERE pg_class.oid = '$index'::regclass});
    return $access{ $method eq 'ivfflat' ? 'ivfpq' : $method } // die "nothing checks $method: $index\n";
}

# rows_in($node, $index): how many rows of the table the index holds.
sub rows_in
{
    my ($node, $index) = @_;
    my $rows = access_of($node, $index)->{rows};
    return $node->safe_psql('postgres', "SELECT $rows('$index')");
}

# check($node, $index, $name): hnsw_check or ivfpq_check must find nothing wrong with the index.
sub check
{
    my ($node, $index, $name) = @_;
    my $check = access_of($node, $index)->{check};
    is($node->safe_psql('postgres', "SELECT * FROM $check('$index'::regclass)"),
        '', $name // "$index is sound");
    return;
}

# all_found($node, $table, $index, $moment, $operator = '<->'): the index, of vectors with 100 dimensions in the column
# embedding, returns every row of the table once, and is sound. Returns the number of rows.
sub all_found
{
    my ($node, $table, $index, $moment, $operator) = @_;
    $operator //= '<->';
    my $all = qq{SELECT ctid AS place FROM $table
        ORDER BY embedding $operator array_fill(0.1, ARRAY[100])::vector LIMIT 1000000};
    like($node->safe_psql('postgres', "$only{index} EXPLAIN (COSTS OFF) $all"),
        qr/Index Scan using \Q$index\E /, "$moment: plan uses $index");
    my $rows = $node->safe_psql('postgres', "SELECT count(*) FROM $table");
    is($node->safe_psql('postgres',
        "$only{index} SELECT count(*), count(DISTINCT place) FROM ($all) AS nearest"),
        "$rows|$rows", "$moment: $index returns every row once");
    check($node, $index, "$moment: $index is sound");
    return $rows;
}

1;
