#!/bin/sh
# Runs in temporalio/admin-tools with TEMPORAL_ADDRESS set. What exists already is kept.
set -eu
if temporal operator namespace describe --namespace default >/dev/null 2>&1; then
  temporal operator namespace update --namespace default --retention 168h
else
  temporal operator namespace create --namespace default --retention 168h
fi
# The frontend learns of a new namespace after some seconds.
until temporal operator search-attribute list --namespace default >/dev/null 2>&1; do sleep 1; done
for name in OrderStatus SagaState ParkedStep FailureType CustomerHash CallerId; do
  temporal operator search-attribute create --namespace default --name "$name" --type Keyword
done
