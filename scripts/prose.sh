#!/usr/bin/env bash
# Enums decide, prose never does: code of node/ and cluster/ that looks into an error, a
# summary or a sentence to know what happened goes wrong when somebody mends the wording.
# Taking a prefix away before something is shown is fine. Prints every line that does more.
set -euo pipefail
cd "$(dirname "$0")/.."
code=$(git ls-files --cached --others --exclude-standard 'node/*.go' 'cluster/*.go' | grep -vE '_test\.go$|/(clustertest|apitest|judgetest)/')
words='(\.Error\(\)|\.Summary|\.Sentence|\.Text|\.Detail|\.Notes?)\b'
bad=$(grep -nE "strings\.(HasPrefix|HasSuffix|Contains|EqualFold|Index)\([^,]*$words|$words *[!=]= *[^ ]" $code | grep -vE "$words *[!=]= *\"\"" || true)
[ -z "$bad" ] || { printf '%s\n' "$bad"; exit 1; }
