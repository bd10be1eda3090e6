#!/usr/bin/env bash
# Installs what the tests drive besides Python and Node: Chromium, fonts that can show Chinese, and a PostgreSQL server.
set -euo pipefail

missing=()
command -v chromium >/dev/null || missing+=(chromium)
compgen -G "/usr/share/fonts/opentype/noto/*CJK*" >/dev/null || missing+=(fonts-noto-cjk)
command -v initdb >/dev/null || compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
[ ${#missing[@]} -eq 0 ] && exit 0

give_up() {
  echo "The tests need: ${missing[*]}. $1, then run make test again." >&2
  exit 1
}
command -v apt-get >/dev/null || give_up "Install them with your system's package manager"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  # A password may be asked for only where somebody can type it.
  command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; } ||
    give_up "This user may not install them: run 'apt-get install ${missing[*]}' as root"
  as_root=(sudo)
fi
echo "Installing ${missing[*]} with apt"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
