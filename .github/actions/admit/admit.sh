#!/bin/sh
# Judges every bundle that a change adds to a ledger. Usage: admit.sh LEDGER BASE [ASSIZE-ARGUMENT…]
#
# LEDGER is the folder of the ledger in the working tree, BASE the branch or commit that the change is for. Rules, keys,
# challenges, waivers and revocations are taken from BASE: a change cannot bring what admits it. Ends with 1 when a bundle is
# refused, and leaves the labels of all of them in $ASSIZE_LABELS, when that is set.
set -eu

if [ $# -lt 2 ]; then
  echo "usage: admit.sh LEDGER BASE [ASSIZE-ARGUMENT...]" >&2
  exit 2
fi
ledger=${1%/}
base=$2
shift 2
trusted=$(mktemp -d)
trap 'rm -rf "$trusted"' EXIT
git archive "$base" -- "$ledger" | tar -x -C "$trusted"

status=0
labels=$trusted/labels
: > "$trusted/all"
git diff --name-only --diff-filter=A "$base...HEAD" -- "$ledger" | grep '/bundle\.json$' > "$trusted/added" || true
while IFS= read -r manifest; do
  bundle=$(dirname "$manifest")
  echo "== $bundle"
  # The ledger of the base has no such bundle, so the record is named.
  assize admit "$bundle" --ledger "$trusted/$ledger" --product "$bundle.product.yaml" --labels "$labels" "$@" || status=1
  cat "$labels" >> "$trusted/all"
done < "$trusted/added"
if [ ! -s "$trusted/added" ]; then
  echo "no bundle is added"
fi
if [ -n "${ASSIZE_LABELS:-}" ]; then
  sort -u "$trusted/all" > "$ASSIZE_LABELS"
fi
exit "$status"
