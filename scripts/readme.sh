#!/usr/bin/env bash
# Runs what the README tells a new user to type: the indented lines below each
# "<!-- run -->", in their order, in one shell and a fresh copy of the tree. INVITATION and ALERT
# are the ones that the commands printed. Every line must end well. The program's usual
# ports are used, in a network namespace of its own where that may be made.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${ALMENARA_NAMESPACE:-}" ] && unshare --net true 2>/dev/null; then
  ALMENARA_NAMESPACE=1 exec unshare --net bash -c 'ip link set lo up 2>/dev/null || ifconfig lo up; exec bash "$0"' "scripts/$(basename "$0")"
fi
. scripts/lib.sh
make_work

# The lines of a block that is to be run; a line that ends in a backslash goes on.
awk '/^<!-- run -->/ { run = 1; next } run && /^    / { sub(/^    /, ""); print; begun = 1; next }
     run && begun && !/^ *$/ { run = begun = 0 }' README.md >"$work/lines"
[ "$(wc -l <"$work/lines")" -ge 10 ] || { echo "the README has no lines to run"; exit 1; }

mkdir "$work/src"
git ls-files -z | xargs -0 cp --parents -t "$work/src"
{
  printf 'set -euo pipefail\ntrap '\''kill $(jobs -p) 2>/dev/null; wait'\'' EXIT\ncd %q\n' "$work/src"
  # Each line is said before it is run, and what it prints is kept for the next ones.
  sed -e ':more' -e '/\\$/ { N; s/\\\n */ /; b more; }' "$work/lines" | while IFS= read -r line; do
    printf 'echo %q\n' "\$ $line"
    case $line in
      *' &') printf '%s\n' "${line% &} >>\"\$work/serve.log\" 2>&1 &" 'until curl -sf http://127.0.0.1:$((8480 + nodes))/readyz >/dev/null; do sleep 0.2; done' 'nodes=$((nodes + 1))' ;;
      'export '* | CGO_ENABLED=*) printf '%s\n' "$line" ;;
      *) printf '{ %s\n} >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }\ncat "$work/said"\n' "$line"
        printf '%s\n' 'INVITATION=$(grep -o "almenara-join-[A-Za-z0-9._-]*" "$work/said" | head -n 1 | grep . || echo "${INVITATION:-}")' \
          'ALERT=$(sed -n "s/.*[Aa]lert \([a-z2-7]\{26\}\).*/\1/p" "$work/said" | head -n 1 | grep . || echo "${ALERT:-}")' ;;
    esac
  done | sed -e 's/ INVITATION$/ "$INVITATION"/' -e 's/^\({ .*\) ALERT$/\1 "$ALERT"/'
} >"$work/run.sh"
sed -i "s|^cd .*|&\nnodes=0 ALERT= INVITATION= work=$work|" "$work/run.sh"
timeout 300 bash "$work/run.sh"
passed=1
