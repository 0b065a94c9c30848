# What WAL carries: a server that crashed and a standby hold the index that the primary held. The
# standby compares every replayed page with the primary's image (wal_consistency_checking), and a
# mismatch ends it.
use strict;
use warnings;

use Test::More;
use VectorAnn;

my $primary = new_node('primary', wal_consistency_checking => 'all');
my $standby = standby($primary, 'standby');
load_words($primary);

my %what = (
    table => 'items', column => 'embedding', operator => '<=>',
    queries => 'SELECT embedding FROM words WHERE rank % 400 = 7 ORDER BY rank',
    settings => 'SET hnsw.ef_search = 100;');

# Both servers answer as exact search does and their indexes are sound.
sub both_sound
{
    my ($moment) = @_;
    wait_for_standby($primary, $standby);
    for my $node ($primary, $standby)
    {
        my $name = $node->name;
        check($node, 'items_index', "$moment: index on the $name is sound");
        cmp_ok(recall($node, 'items_index', %what), '>=', 0.95, "$moment: recall on the $name");
    }
    return;
}

$primary->safe_psql('postgres', q{
    CREATE TABLE items AS SELECT rank, embedding FROM words WHERE rank <= 5000;
    CREATE INDEX items_index ON items USING hnsw (embedding vector_cosine_ops);});
both_sound('build');

$primary->safe_psql('postgres',
    'INSERT INTO items SELECT rank, embedding FROM words WHERE rank BETWEEN 5001 AND 6000');
both_sound('inserts');

# Everything since the last checkpoint comes back from WAL alone.
$primary->safe_psql('postgres', 'CHECKPOINT');
$primary->safe_psql('postgres', q{
    INSERT INTO items SELECT rank, embedding FROM words WHERE rank BETWEEN 6001 AND 7000;
    UPDATE items SET rank = -rank WHERE rank % 10 = 3;
    DELETE FROM items WHERE rank % 10 = 5;});
$primary->safe_psql('postgres', 'VACUUM items');
crash_restart($primary);
both_sound('crash');

# An insert that was never committed leaves nothing behind that a search could return.
my $rows = $primary->safe_psql('postgres', 'SELECT count(*) FROM items');
$primary->safe_psql('postgres', q{
    BEGIN;
    INSERT INTO items SELECT rank, embedding FROM words WHERE rank BETWEEN 7001 AND 7500;
    ROLLBACK;});
crash_restart($primary);
is($primary->safe_psql('postgres', 'SELECT count(*) FROM items'), $rows, 'rolled back');
both_sound('rollback and crash');

# The standby takes over and can be written.
wait_for_standby($primary, $standby);
$primary->stop('immediate');
$standby->promote;
$standby->safe_psql('postgres',
    'INSERT INTO items SELECT rank, embedding FROM words WHERE rank BETWEEN 7501 AND 8000');
check($standby, 'items_index', 'promoted: sound after inserts');
cmp_ok(recall($standby, 'items_index', %what), '>=', 0.95, 'promoted: recall');

done_testing();
