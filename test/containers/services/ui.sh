#!/bin/sh
# The entrypoint of temporalio/ui; its configuration is a template of variables.
set -eu
cd /services/ui
exec temporal-ui-server --env docker start
