# ivfpq_check finds what it is there to find: pages of a sound index are damaged in the file, one place at
# a time, and the check names it.
use strict;
use warnings;

use Test::More;
use VectorAnn;

use constant {PAGE => 8192, HEADER => 24, NONE => 0xffffffff};
use constant {META => 1, MODEL => 2, LIST => 3, DIRECTORY => 4, SCAN => 5, REFINE => 6};

# The damage is to be found by the index's own check, also where clusters have checksums.
my $node = new_node('damaged', ignore_checksum_failure => 'on', shared_buffers => '16MB');
load_words($node);
$node->safe_psql('postgres', q{
    CREATE TABLE items AS SELECT rank, embedding FROM words WHERE rank <= 3000;
    CREATE INDEX items_index ON items USING ivfpq (embedding vector_l2_ops) WITH (lists = 20);
    CHECKPOINT;});
check($node, 'items_index', 'the index is sound before any damage');

my $file = $node->data_dir . '/'
    . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('items_index')});
my ($dims, $refine_pages) = split /\|/, $node->safe_psql('postgres',
    q{SELECT code_dimensions, refine_pages FROM ivfpq_meta('items_index')});
my $sound = do { local (@ARGV, $/) = ($file); <> };
my $pages = length($sound) / PAGE;

# The first page of a kind, and where things lie on it: src/am/ivfpq/page.hpp.
sub page_of
{
    my ($kind) = @_;
    for my $block (0 .. $pages - 1)
    {
        my ($found, $id) = unpack 'S<S<', substr($sound, ($block + 1) * PAGE - 4, 4);
        return $block if $found == $kind && $id == 0xffa8;
    }
    die "no page of kind $kind";
}
sub up
{
    my ($value, $unit) = @_;
    return int(($value + $unit - 1) / $unit) * $unit;
}

my $scan = page_of(SCAN);
my $directory = page_of(DIRECTORY);
my $block = up(HEADER + 24 + 4 * $refine_pages, 8);  # of 32 rows
my $tids = $block + 16 + int($dims / 64) * 8 * 32 + 3 * 64;
my $entries = HEADER + 24;
my $record = HEADER + 8 + 2 * (48 + $dims);  # that of a list of rows: the root comes first
sub get
{
    my ($page, $offset, $format) = @_;
    return unpack $format, substr($sound, $page * PAGE + $offset, 8);
}

my ($live, undef, $anchor) = map { get($scan, $block + 4 * $_, 'L<') } 0 .. 2;
my ($first, $second) = map { substr($sound, $scan * PAGE + $tids + 6 * $_, 6) } 0, 1;
my @damages = (
    ['state of a list', LIST, $record, pack('C', 9), qr/\|invalid state 9$/m],
    ['level of a list', LIST, $record + 1, pack('C', 7), qr/\|level 7, but the index has 1$/m],
    ['parent of a list', LIST, $record + 12, pack('L<', 12345),
        qr/\|list 12345 is not its parent$/m],
    ['head of a list', LIST, $record + 4, pack('L<', $directory),
        qr/\|a page of its chain is block $directory, which stands in two places$/m],
    ['open page of a list', LIST, $record + 8, pack('L<', 2),
        qr/\|block 2, open for new rows, is not in its chain$/m],
    ['centroid of a list', LIST, $record + 36, pack('f<', 'NaN'),
        qr/\|invalid factors of the centroid$/m],
    ['code of a centroid', LIST, $record + 48, "\x55" x 32,
        qr/\|its entry in list \d+ is not the code of its centroid$/m],
    ['next list page', LIST, HEADER, pack('L<', 1_000_000),
        qr/^\|a list page is block 1000000, which cannot be$/m],
    ['owner of a scan page', SCAN, HEADER, pack('L<', 1),
        qr/\|block $scan of its chain belongs to list 1$/m],
    ['circle in a chain', SCAN, HEADER + 4, pack('L<', $scan),
        qr/\|a page of its chain is block $scan, which stands in two places$/m],
    ['flags of a scan page', SCAN, HEADER + 8, pack('C', 64),
        qr/\|invalid flags 64 of block $scan$/m],
    ['closed page of a live list', SCAN, HEADER + 8, pack('C', 2),
        qr/\|block $scan is closed, but not the end of a retired chain$/m],
    ['version of codebooks', SCAN, HEADER + 9, pack('C', 3),
        qr/\|block $scan has codes of version 3$/m],
    ['missing refine page', SCAN, HEADER + 24, pack('L<', NONE),
        qr/\|rows of block $scan have no refine codes$/m],
    ['row that is gone', SCAN, $block, pack('L<', $live & ~1),
        qr/^\|the row at \(\d+,\d+\) is not in the index$/m],
    ['row that has not moved', SCAN, $block + 4, pack('L<', 1),
        qr/^\|the row at \(\d+,\d+\) is not in the index$/m],
    ['moved row that is none', SCAN, $block, pack('L<L<', $live & ~1, 1),
        qr/\|rows of block $scan are moved, but not there$/m],
    ['anchor that is none', SCAN, $block + 8, pack('L<', 1),
        qr/\|rows of block $scan are coded against list 1, which is none$/m],
    ['another anchor', SCAN, $block + 8, pack('L<', $anchor + 1),
        qr/\|the code is not that of the row at /],
    ['scan code', SCAN, $block + 16, "\xff" x (32 * 8), qr/\|the code is not that of the row at /],
    ['exchanged TIDs', SCAN, $tids, $second . $first, qr/\|the code is not that of the row at /],
    ['TID in two places', SCAN, $tids, $second, qr/\|heap TID \(\d+,\d+\) is also in list \d+$/m],
    ['TID beyond the table', SCAN, $tids, pack('S<S<S<', 1, 0, 1),
        qr/\|the heap TID \(65536,1\) is beyond the end of the table$/m],
    ['TID that is none', SCAN, $tids + 4, pack('S<', 0),
        qr/\|an invalid heap TID in block $scan$/m],
    ['owner of a refine page', REFINE, HEADER, pack('L<', 1),
        qr/ is not a refine page of block $scan$/m],
    ['refine factors', REFINE, HEADER + 8, pack('f<', 'Inf'),
        qr/\|invalid refine factors of row 0 of block $scan$/m],
    ['refine code', REFINE, HEADER + 20, "\xff" x 64, qr/\|the code is not that of the row at /],
    ['entry that is gone', DIRECTORY, $entries, pack('L<', get($directory, $entries, 'L<') & ~1),
        qr/\|0 entries in the directory\n.*\|no search can come to the row at /s],
    ['code of an entry', DIRECTORY, $entries + 16, "\xff" x 8,
        qr/ is not the code of its centroid$/m],
    ['mean', MODEL, HEADER + 8, pack('f<', 'NaN'), qr/^\|the mean has values that are not finite/m],
    ['page for new lists', META, HEADER + 80, pack('L<', $scan),
        qr/^\|block $scan, for new list records, is not a list page$/m],
    ['depth', META, HEADER + 69, pack('C', 2), qr/^\|list \d+ is not a root of depth 2$/m],
);

sub write_file
{
    my ($bytes) = @_;
    open(my $out, '+<:raw', $file) or die "$file: $!";
    print $out $bytes or die $!;
    close($out) or die $!;
    return;
}

for my $damage (@damages)
{
    my ($what, $kind, $offset, $bytes, $expected) = @$damage;
    my $damaged = $sound;
    substr($damaged, page_of($kind) * PAGE + $offset, length $bytes) = $bytes;
    isnt($damaged, $sound, "$what: the damage is one");
    $node->stop;
    write_file($damaged);
    $node->start;
    my ($rc, $out, $err) = $node->psql('postgres', q{SELECT * FROM ivfpq_check('items_index')});
    like($out, $expected, "$what: found") or diag($err);
    is($rc, 0, "$what: told without an error");
}

$node->stop;
write_file($sound);
$node->start;
check($node, 'items_index', 'the index is sound again');
done_testing();
