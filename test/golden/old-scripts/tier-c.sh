#!/bin/sh
# Tier C: one lane, relative to its home; agent-lane-1 is lane1.
cd "$HOME" || exit 1
lane=$(id -un | sed 's/^agent-//; s/-//')
tar -czf "$1/$lane-$(date +%Y%m%d).tar.gz" .openclaw workspace
