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
  my (%seen, @wrong);
  for my $point (@{ $run->{points} }) {
      $seen{ $point->{measure} }{ $point->{engine} } = 1;
      my $values = $point->{values};
      push @wrong, "no values of $point->{measure}" if !%$values;
      for my $name (keys %$values) {
          my $value = $values->{$name}{median};
          push @wrong, "$point->{engine}, $point->{measure}, $name: no number" if !defined $value;
          push @wrong, "$point->{engine}, $point->{measure}: recall $value"
              if $name =~ /^recall/ && ($value < 0.8 || $value > 1)
              && $point->{engine} =~ /^vector/;
      }
  }
  my @in_server = grep { /^vector/ } keys %{ $run->{engines} };
  for my $measure (qw(build search filter clients mixed insert update vacuum churn cold budget),
                   "change recall") {
      for (@in_server) { push @wrong, "$measure has no point of $_" if !$seen{$measure}{$_}; }
  }
  push @wrong, map { $_->{text} } grep { $_->{text} =~ /failed/ } @{ $run->{notes} };
  for my $name (qw(report.md summary.md builds.svg words-recall-k10.svg words-clients.svg)) {
      push @wrong, "$name is missing" if !-s "$directory/$name";
  }
  print "$_\n" for @wrong;
  printf "benchmark: %d points, %d problems\n", scalar @{ $run->{points} }, scalar @wrong;
  exit(@wrong ? 1 : 0);' "$BUILD_DIR/bench/results"
