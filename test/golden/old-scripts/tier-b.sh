#!/bin/sh
# Tier B: everything of the account that OpenClaw has.
cd "${2:-/}" || exit 1
tar -czf "$1/openclaw-full-$(date +%Y%m%d).tar.gz" \
  "Users/$(id -un)/.openclaw" \
  "Users/$(id -un)/workspace"
