#!/bin/sh
# Makes pilot.gguf from nothing: trains, exports, measures, writes MODEL_CARD.md. Under an hour on two CPU cores.
#   ./make.sh [steps]
set -eu
cd "$(dirname "$0")"
steps=${1:-1800}
# Debian's own python3: an other one on the PATH does not see Debian's packages.
python=${PYTHON:-/usr/bin/python3}
packages='python3-torch libopenblas0-pthread python3-numpy python3-regex python3-requests python3-tqdm python3-yaml'

# Without libopenblas0-pthread the same training takes thirty times as long.
missing=
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ -f /etc/debian_version ] && [ "$(id -u)" = 0 ]; then
    echo "installing$missing"
    apt-get update -q
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
  elif ! "$python" -c 'import numpy, regex, requests, torch, tqdm, yaml'; then
    echo "training needs$missing; on Debian: sudo apt-get install$missing" >&2
    exit 1
  fi
fi

# Freed memory is kept for the next step: returning it to the system costs a third of the time.
export MALLOC_MMAP_THRESHOLD_=2147483648 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=268435456
export PYTHONDONTWRITEBYTECODE=1
echo '1/3 training'
nice -n 5 "$python" train.py --steps "$steps"
echo '2/3 writing pilot.gguf'
"$python" export.py
echo '3/3 measuring'
"$python" evaluate.py
