# VectorAnn.pm - what the TAP tests of vector_ann share: servers with the extension, recall against
# exact search, crashes, standbys, and the index check that closes every scenario.
package VectorAnn;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_node crash_restart standby wait_for_standby neighbors recall check
    load_words uses_index);

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

# check($node, $index, $name): hnsw_check must find nothing wrong with the index.
sub check
{
    my ($node, $index, $name) = @_;
    is($node->safe_psql('postgres', "SELECT * FROM hnsw_check('$index'::regclass)"),
        '', $name // "$index is sound");
    return;
}

1;
