#!/usr/bin/env bash
# Imports point one way: main -> node -> {cluster, channels} -> storage ->
# storage/{alert,audience,receipt}. Prints every arrow the other way; exit 1 then.
set -euo pipefail
cd "$(dirname "$0")/.."

# may FROM TO...: packages under FROM may import only these prefixes of ours.
rules='
almenara/storage/alert
almenara/storage/receipt almenara/storage/alert
almenara/storage/audience almenara/storage/alert
almenara/storage almenara/storage
almenara/cluster almenara/cluster almenara/storage
almenara/channels almenara/channels almenara/storage/alert almenara/storage/audience almenara/storage/receipt
almenara/node almenara/node almenara/cluster almenara/channels almenara/storage
almenara/scripts almenara/node almenara/cluster almenara/channels almenara/storage
almenara almenara/node
'
bad=0
while read -r from to; do
  best=
  while read -r prefix allowed; do
    [ -n "$prefix" ] || continue
    case "$from" in "$prefix" | "$prefix"/*) [ ${#prefix} -gt ${#best} ] && { best=$prefix; may=$allowed; } ;; esac
  done <<<"$rules"
  [ -n "$best" ] || { echo "$from belongs to no layer"; bad=1; continue; }
  ok=
  case "$to" in "$best" | "$best"/*) [ "$best" = almenara ] || ok=1 ;; esac
  [ "$from" = "$to" ] && ok=1
  for p in $may; do case "$to" in "$p" | "$p"/*) ok=1 ;; esac; done
  # channels must not reach Badger through the root storage package.
  case "$from $to" in "almenara/channels"*" almenara/storage") ok= ;; esac
  [ -n "$ok" ] || { echo "$from must not import $to"; bad=1; }
done < <(go list -f '{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}
{{end}}' ./... | awk '$2 ~ /^almenara(\/|$)/ && $1 != "" {print}')
exit $bad
