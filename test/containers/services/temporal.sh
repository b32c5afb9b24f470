#!/bin/sh
# The entrypoint of temporalio/server: the server reads its variables itself, but for the address that it tells its members.
set -eu
TEMPORAL_BROADCAST_ADDRESS=$(getent hosts "$(hostname)" | awk '{print $1}')
export TEMPORAL_BROADCAST_ADDRESS
exec temporal-server start
