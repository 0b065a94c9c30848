# What WAL carries: a server that crashed and a standby hold the index that the primary held. The
# standby compares every replayed page with the primary's image (wal_consistency_checking), and a
# mismatch ends it. A cursor that is open there returns its rows while the primary cleans up.
use strict;
use warnings;

use Test::More;
use VectorAnn;

my $primary = new_node('primary', wal_consistency_checking => 'all');
my $standby = standby($primary, 'standby');
# Rows that a query of the standby sees stay until it has ended.
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nwal_receiver_status_interval = 1s\n");
$standby->reload;
load_words($primary);

my $queries = 'SELECT embedding FROM words WHERE rank % 400 = 7 ORDER BY rank';
my @methods = access_methods();

# Runs the statement on the table of each access method, in place of ITEMS.
sub for_each_table
{
    my ($node, $statement) = @_;
    for my $method (@methods)
    {
        $node->safe_psql('postgres', $statement =~ s/ITEMS/items_$method/gr);
    }
    return;
}

# The indexes are sound and answer as exact search does.
sub sound_on
{
    my ($node, $moment) = @_;
    for my $method (@methods)
    {
        my $where = "$moment, $method on the " . $node->name;
        check($node, "items_${method}_index", "$where: sound");
        cmp_ok(recall($node, "items_${method}_index", table => "items_$method", column => 'embedding',
                operator => '<=>', queries => $queries, settings => wide_search($method)),
            '>=', 0.95, "$where: recall");
    }
    return;
}

sub both_sound
{
    my ($moment) = @_;
    wait_for_standby($primary, $standby);
    sound_on($_, $moment) for $primary, $standby;
    return;
}

# ivfpq starts with rows for a few lists, which later rows make too long.
my %first = (hnsw => 3900, ivfpq => 500);
for my $method (@methods)
{
    my $table = "items_$method";
    $primary->safe_psql('postgres', qq{
        CREATE TABLE $table AS SELECT rank, embedding FROM words WHERE rank <= $first{$method};
        CREATE INDEX ${table}_index ON $table USING $method (embedding vector_cosine_ops);
        INSERT INTO $table SELECT rank, embedding FROM words
            WHERE rank > $first{$method} AND rank <= 4000;});
}
both_sound('build');

for_each_table($primary,
    'INSERT INTO ITEMS SELECT rank, embedding FROM words WHERE rank BETWEEN 4001 AND 5000');
both_sound('inserts');

# Everything since the last checkpoint comes back from WAL alone.
$primary->safe_psql('postgres', 'CHECKPOINT');
for_each_table($primary, q{
    INSERT INTO ITEMS SELECT rank, embedding FROM words WHERE rank BETWEEN 5001 AND 6000;
    UPDATE ITEMS SET rank = -rank WHERE rank % 10 = 3;
    DELETE FROM ITEMS WHERE rank % 10 = 5;});
for_each_table($primary, 'VACUUM ITEMS');
crash_restart($primary);
both_sound('crash');

# An insert that was never committed leaves nothing behind that a search could return.
my $count = join ' + ', map { "(SELECT count(*) FROM items_$_)" } @methods;
my $rows = $primary->safe_psql('postgres', "SELECT $count");
for_each_table($primary, q{
    BEGIN;
    INSERT INTO ITEMS SELECT rank, embedding FROM words WHERE rank BETWEEN 6001 AND 6500;
    ROLLBACK;});
crash_restart($primary);
is($primary->safe_psql('postgres', "SELECT $count"), $rows, 'rolled back');
both_sound('rollback and crash');

# Between the cursor's first and last rows the primary removes rows, and lists of ivfpq split, merge and
# are given back.
sub cursor_beside
{
    my ($method) = @_;
    my $table = "items_$method";
    my $seen = $primary->safe_psql('postgres', "SELECT count(*) FROM $table");
    my $near = 'embedding <=> (SELECT embedding FROM words WHERE rank = 7)';
    # What the standby told before the cursor came holds for the cursor too.
    $primary->poll_query_until('postgres',
        'SELECT count(backend_xmin) = 1 FROM pg_stat_replication') or die 'no feedback';
    my $session = open_session($standby);
    my $out = ask($session, qq{
        SET enable_seqscan = off; SET enable_sort = off;
        BEGIN ISOLATION LEVEL REPEATABLE READ;
        DECLARE near CURSOR FOR SELECT rank FROM $table ORDER BY $near LIMIT 1000000;
        FETCH 50 FROM near;});
    $primary->safe_psql('postgres', $_)
        for "DELETE FROM $table WHERE rank % 3 = 1",
        "INSERT INTO $table SELECT 100000 + rank, embedding FROM words ORDER BY $near LIMIT 1000",
        ("VACUUM $table") x 2;
    wait_for_standby($primary, $standby);
    $out .= ask($session, 'FETCH ALL FROM near; COMMIT;');
    close_session($session);
    my @ranks = split /\n/, $out;
    my %distinct = map { $_ => 1 } @ranks;
    is(scalar(@ranks) . '|' . keys(%distinct), "$seen|$seen",
        "$method: a cursor of the standby returns the rows of its snapshot once");
    return;
}
# A cursor has the table's page of its last row pinned, and replay must not wait for it: what the aborted
# inserts left there goes first.
for_each_table($primary, 'VACUUM ITEMS');
wait_for_standby($primary, $standby);
cursor_beside($_) for @methods;
cmp_ok($primary->safe_psql('postgres', q{SELECT retired_lists FROM ivfpq_stats('items_ivfpq_index')}),
    '>', 0, 'lists wait for the cursor');
both_sound('VACUUM beside a cursor');
for_each_table($primary, 'VACUUM ITEMS');
both_sound('VACUUM after it');

# The standby takes over and can be written.
wait_for_standby($primary, $standby);
$primary->stop('immediate');
$standby->promote;
for_each_table($standby,
    'INSERT INTO ITEMS SELECT rank, embedding FROM words WHERE rank BETWEEN 6501 AND 7000');
sound_on($standby, 'promoted');

done_testing();
