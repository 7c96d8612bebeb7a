#!/bin/sh
# Makes a Debian package of this checkout, without root; it needs npm, and dpkg-deb of any Debian or Ubuntu.
#   sh deploy/debian/make-deb.sh [FOLDER]        writes FOLDER/ptq-agent_VERSION_ARCHITECTURE.deb, here unless given
# ONNXRUNTIME_NODE_INSTALL=cuda12 adds the CUDA libraries, which npm downloads; WITHOUT_MODULES=1 leaves all dependencies out, for tests.
set -eu
output=$(realpath "${1:-.}")
cd "$(dirname "$0")/../.."
version=$(node -p "require('./package.json').version")
architecture=$(dpkg --print-architecture)
[ -f dist/cli/main.js ] || npm run build

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 0755 "$stage"
umask 022

home=$stage/usr/lib/node_modules/ptq-agent
mkdir -p "$home" "$stage/usr/bin" "$stage/usr/lib/systemd/system" "$stage/usr/share/ptq-agent" \
  "$stage/usr/share/doc/ptq-agent" "$stage/etc/ptq-agent/profiles" "$stage/DEBIAN"
cp -r package.json package-lock.json .npmrc README.md LICENSE dist profiles "$home"
if [ -z "${WITHOUT_MODULES:-}" ]; then
  (
    cd "$home"
    npm ci --omit=dev --ignore-scripts
    if [ -n "${ONNXRUNTIME_NODE_INSTALL:-}" ]; then npm rebuild onnxruntime-node; fi
  )
  sh deploy/strip-modules.sh "$home/node_modules"
fi
rm "$home/package-lock.json" "$home/.npmrc"
ln -s ../lib/node_modules/ptq-agent/dist/cli/main.js "$stage/usr/bin/ptq-agent"
chmod 0755 "$home/dist/cli/main.js"
cp deploy/systemd/ptq-agent.service "$stage/usr/lib/systemd/system"
cp -r dashboards deploy "$stage/usr/share/ptq-agent"
rm -r "$stage/usr/share/ptq-agent/dashboards/source"
cp CHANGELOG.md LICENSE "$stage/usr/share/doc/ptq-agent"
cp deploy/debian/agent.yaml "$stage/etc/ptq-agent"

for script in postinst prerm postrm; do
  sed "s/@VERSION@/$version/" "deploy/debian/$script" >"$stage/DEBIAN/$script"
  chmod 0755 "$stage/DEBIAN/$script"
done
echo /etc/ptq-agent/agent.yaml >"$stage/DEBIAN/conffiles"
cat >"$stage/DEBIAN/control" <<CONTROL
Package: ptq-agent
Version: $version
Architecture: $architecture
Maintainer: the maintainers of ptq-agent <ptq-agent@localhost>
Installed-Size: $(du -sk "$stage" | cut -f1)
Depends: nodejs (>= 20.19), libc6 (>= 2.31), libstdc++6, passwd
Section: science
Priority: optional
Description: quantizes ONNX models after training, and measures what came of it
 A daemon that makes int8 and other variants of the models of a host, judges their
 accuracy, benchmarks them, watches the host meanwhile and exports all of it to
 Prometheus.
CONTROL

mkdir -p "$output"
compression=${WITHOUT_MODULES:+none}
dpkg-deb --root-owner-group -Z"${compression:-xz}" --build "$stage" "$output/ptq-agent_${version}_$architecture.deb"
