#!/bin/sh
# Removes from node_modules what other platforms than this one need: onnxruntime-node has the runtime for all of them in one package.
#   sh deploy/strip-modules.sh node_modules
set -eu
platform=$(node -p process.platform)
arch=$(node -p process.arch)
for folder in "$1"/onnxruntime-node/bin/napi-v*/*/*/; do
  case "$folder" in
    */"$platform/$arch"/) ;;
    *) rm -rf "$folder" ;;
  esac
done
