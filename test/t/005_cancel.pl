# Cancelled builds and searches leave nothing behind, cursors hold nothing between fetches, and a backend
# that works on needs no more memory than in the beginning.
use strict;
use warnings;

use Test::More;
use VectorAnn;

my $node = new_node('main');
load_words($node);

# Files of the database that no relation owns, and temporary ones.
my $orphans = q{
    SELECT count(*) FROM pg_database, pg_ls_dir('base/' || pg_database.oid) AS file
    WHERE datname = 'postgres' AND file ~ '^[0-9]+' AND split_part(file, '_', 1)::text NOT IN
        (SELECT pg_relation_filenode(oid)::text FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL)};
$node->safe_psql('postgres', 'CHECKPOINT');
is($node->safe_psql('postgres', $orphans), '0', 'no file without a relation before');

# A growing limit meets a build in one phase after the other, until it is let finish.
sub cancel_builds
{
    my ($method) = @_;
    my ($cancelled, $finished) = (0, 0);
    for (my $limit = 10; !$finished && $limit < 1_000_000; $limit = int($limit * 1.5))
    {
        my ($status, $out, $err) = $node->psql('postgres', qq{
            SET statement_timeout = $limit;
            CREATE INDEX words_index ON words USING $method (embedding vector_l2_ops);});
        if ($status == 0) { $finished = 1; next; }
        $cancelled++;
        like($err, qr/canceling statement due to statement timeout/, "cancelled after $limit ms");
        unlike($err, qr/WARNING/, "cancelled after $limit ms: without warnings");
        is($node->safe_psql('postgres', q{SELECT to_regclass('words_index')}), '', 'there is no index');
    }
    ok($finished, 'at last the build finishes');
    cmp_ok($cancelled, '>=', 3, 'several builds were cancelled');
    check($node, 'words_index', 'its index is sound');
    # The files of dropped relations are emptied at once and go with the next checkpoint.
    $node->safe_psql('postgres', 'CHECKPOINT');
    is($node->safe_psql('postgres', $orphans), '0', 'no file without a relation after');
    return;
}

# One session for the rest: what would be left in it accumulates.
my $helpers = q{
    SET enable_seqscan = off; SET client_min_messages = warning;
    SET jit = off;  -- its compiler alone takes more than is looked for here
    -- This process's resident pages that are its own, from /proc/self/statm.
    CREATE FUNCTION pg_temp.own_pages() RETURNS bigint LANGUAGE sql VOLATILE AS
        $$SELECT f[2]::bigint - f[3]::bigint FROM string_to_array(pg_read_file('/proc/self/statm'), ' ') AS f$$;
    CREATE FUNCTION pg_temp.query(number int) RETURNS vector LANGUAGE sql STABLE AS
        $$SELECT embedding FROM words WHERE rank = 1 + number * 13 % 20000$$;
    -- Each function does its work `times` times.
    CREATE FUNCTION pg_temp.search(times int) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        FOR i IN 1 .. times LOOP
            PERFORM rank FROM words ORDER BY embedding <-> pg_temp.query(i) LIMIT 10;
        END LOOP;
    END $$;
    CREATE FUNCTION pg_temp.rescan(times int) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM count(*) FROM words AS q, LATERAL (SELECT rank FROM words
            ORDER BY words.embedding <-> q.embedding LIMIT 3) AS n WHERE q.rank <= times;
    END $$;
    CREATE FUNCTION pg_temp.fail(times int) RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        FOR i IN 1 .. times LOOP
            BEGIN
                PERFORM rank, 1 / (rank - rank) FROM words ORDER BY embedding <-> pg_temp.query(i) LIMIT 10;
            EXCEPTION WHEN division_by_zero THEN NULL;
            END;
        END LOOP;
    END $$;
    CREATE FUNCTION pg_temp.add(times int) RETURNS void LANGUAGE sql AS $$
        INSERT INTO fresh SELECT embedding FROM words WHERE rank <= times $$;
    CREATE TABLE pages (work text, before bigint, after bigint);
};
my $measure = join '', map { my ($work, $first, $then) = @$_; qq{
    SELECT pg_temp.$work($first);
    INSERT INTO pages VALUES ('$work', pg_temp.own_pages());
    SELECT pg_temp.$work($then);
    UPDATE pages SET after = pg_temp.own_pages() WHERE work = '$work';} }
    ([ 'search', 500, 10000 ], [ 'rescan', 500, 6000 ], [ 'fail', 200, 2000 ], [ 'add', 500, 4000 ]);

# What would be left in a session accumulates.
sub measure_memory
{
    my ($method) = @_;
    my ($status, $out, $err) = $node->psql('postgres', qq{
        CREATE TABLE fresh (embedding vector(100));
        CREATE INDEX fresh_index ON fresh USING $method (embedding vector_l2_ops);} . $helpers . $measure);
    is($status, 0, 'searches, rescans, failures, inserts');
    is($err, '', 'without warnings of leaked locks or buffers');
    # 2,048 pages are 8 MiB: a leak of a single kilobyte per search would be more.
    is($node->safe_psql('postgres', 'SELECT * FROM pages WHERE after > before + 2048 OR after IS NULL'), '',
        'memory stays where it was');
    $node->safe_psql('postgres', 'DROP TABLE fresh, pages');
    return;
}

# Cursors within cursors: 1,000 fetches; what they hold in between is what one search holds.
sub nest_cursors
{
    my ($status, $out, $err) = $node->psql('postgres', q{
        SET enable_seqscan = off;
        BEGIN;
        DO $$
        DECLARE
            one CURSOR FOR SELECT rank, embedding FROM words
                ORDER BY embedding <-> (SELECT embedding FROM words WHERE rank = 1);
            two CURSOR (v vector) FOR SELECT rank FROM words ORDER BY embedding <-> v;
            held bigint;
            line record;
            inner_line record;
            fetched int := 0;
        BEGIN
            OPEN one;
            FOR i IN 1 .. 1000 LOOP
                FETCH one INTO line;
                fetched := fetched + FOUND::int;
                IF i % 50 = 0 THEN
                    OPEN two (line.embedding);
                    FETCH two INTO inner_line;
                    IF inner_line.rank <> line.rank AND i < 100 THEN RAISE WARNING 'not its own nearest'; END IF;
                    IF i % 100 <> 0 THEN FETCH two INTO inner_line; END IF;
                    CLOSE two;
                END IF;
                IF i = 100 THEN SELECT count(*) INTO held FROM pg_locks WHERE pid = pg_backend_pid(); END IF;
            END LOOP;
            IF fetched <> 1000 THEN RAISE WARNING 'fetched % rows', fetched; END IF;
            IF held <> (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()) THEN
                RAISE WARNING 'locks accumulate';
            END IF;
        END $$;
        COMMIT;});
    is($status, 0, 'nested cursors');
    is($err, '', 'nested cursors: no warning');
    return;
}

# Searches cancelled at any point
sub cancel_searches
{
    my $interrupted = 0;
    for my $limit (1, 2, 3, 5, 8, 13, 21, 34, 55)
    {
        my ($status, $out, $err) = $node->psql('postgres', qq{
            SET enable_seqscan = off; SET statement_timeout = $limit;
            SELECT count(*) FROM (SELECT rank FROM words
                ORDER BY embedding <-> array_fill(0.1, ARRAY[100])::vector LIMIT 20000) AS nearest;});
        $interrupted++ if $err =~ /canceling statement/;
        unlike($err, qr/WARNING/, "search with $limit ms: without warnings");
    }
    cmp_ok($interrupted, '>=', 1, 'searches were cancelled');
    check($node, 'words_index', 'the index is sound at the end');
    return;
}

for my $method (access_methods())
{
    subtest $method => sub {
        cancel_builds($method);
        measure_memory($method);
        nest_cursors();
        cancel_searches();
        $node->safe_psql('postgres', 'DROP INDEX words_index');
    };
}

done_testing();
