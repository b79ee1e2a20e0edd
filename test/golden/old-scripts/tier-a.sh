#!/bin/sh
# Tier A: configuration and plists.
cd "${2:-/}" || exit 1
tar -czf "$1/openclaw-config-$(date +%Y%m%d).tar.gz" \
  "Users/$(id -un)/.openclaw/config" \
  Library/LaunchDaemons/com.*.openclaw*.plist
