#!/usr/bin/env bash
# Does the benchmark work? Runs its smoke profile, 2,000 words, and checks what comes out: every
# measure has points of every engine that lives in the server, nothing failed, recalls are sane, and
# report and pictures are there. The figures mean nothing.
set -euo pipefail
. "$(dirname "$0")/../lib.sh"

export BUILD_DIR=$build_dir/smoke
mkdir -p "$BUILD_DIR/bench"
# One program for both: compiling it takes longer than running it.
[ -e "$BUILD_DIR/bench/program" ] || {
  mkdir -p "$build_dir/bench/program"
  ln -s "$build_dir/bench/program" "$BUILD_DIR/bench/program"
}
log=$BUILD_DIR/bench/log
"$top/test/bench/run_bench.sh" --profile=smoke >"$log" 2>&1 || {
  tail -n 40 "$log"
  die "the benchmark failed; the whole log: $log"
}

perl -MJSON::PP -e '
  use strict;
  use warnings;
  my $directory = shift;
  my $file = do { local (@ARGV, $/) = "$directory/results.json"; <> };
  my $run = decode_json($file);
  my (%seen, %best, @wrong);
  my @in_server = grep { /^(vector|ivf)/ } keys %{ $run->{engines} };
  my %is_in_server = map { $_ => 1 } @in_server;
  for my $point (@{ $run->{points} }) {
      $seen{ $point->{measure} }{ $point->{engine} } = 1;
      my $values = $point->{values};
      push @wrong, "no values of $point->{measure}" if !%$values;
      for my $name (keys %$values) {
          my $value = $values->{$name}{median};
          push @wrong, "$point->{engine}, $point->{measure}, $name: no number" if !defined $value;
          next if $name ne "recall";
          # The first probes of a sweep find little; the last must find nearly all.
          my $sweep = $point->{measure} eq "search" && defined $point->{parameters}{probes};
          push @wrong, "$point->{engine}, $point->{measure}: recall $value"
              if $is_in_server{ $point->{engine} } && ($value < ($sweep ? 0 : 0.8) || $value > 1);
          next if $point->{measure} ne "search";
          my $best = \$best{ $point->{engine} }{ $point->{parameters}{k} };
          $$best = $value if !defined $$best || $value > $$best;
      }
  }
  push @wrong, "ivfpq is not among the engines" if !$is_in_server{ivfpq};
  for my $engine (@in_server) {
      for my $k (1, 10) {
          my $best = $best{$engine}{$k} // 0;
          push @wrong, "$engine: recall@" . "$k is $best at best" if $best < 0.95;
      }
  }
  # pgvector refuses to build lists in the least memory that PostgreSQL allows.
  my $refused = qr/^ivfflat failed: .*memory required is/;
  for my $measure (qw(build search filter clients mixed insert update vacuum churn drift cold
                      budget), "change recall") {
      for (@in_server) {
          next if $_ eq "ivfflat" && $measure eq "budget";
          push @wrong, "$measure has no point of $_" if !$seen{$measure}{$_};
      }
  }
  push @wrong, map { $_->{text} }
      grep { $_->{text} =~ /failed/ && $_->{text} !~ $refused } @{ $run->{notes} };
  for my $name (qw(report.md summary.md builds.svg words-recall-k10.svg words-clients.svg
                   builds-lists.svg words-lists-recall-k10.svg words-lists-clients.svg)) {
      push @wrong, "$name is missing" if !-s "$directory/$name";
  }
  print "$_\n" for @wrong;
  printf "benchmark: %d points, %d problems\n", scalar @{ $run->{points} }, scalar @wrong;
  exit(@wrong ? 1 : 0);' "$BUILD_DIR/bench/results"
