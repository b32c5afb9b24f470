# One image for worker, API, simulator and commands: docker run IMAGE worker | api | simulator | models | orphans …
#
#   docker build -t clip-generator .
#
# Built where neither Node's nor Debian's image can be pulled, the two arguments name others. What makes up its size:
# docs/operations.md, "Containers".
ARG NODE_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# The media library would download a command line program that is not used.
ENV SKIP_FFMPEG=true
COPY .npmrc package.json package-lock.json ./
RUN npm ci --include=dev --ignore-scripts
COPY tsconfig*.json LICENSE NOTICE ./
COPY docs/client.md docs/
COPY examples examples
COPY setup setup
COPY chaos chaos
COPY src src
RUN node setup/run.mjs build \
 && npm prune --omit=dev --ignore-scripts \
 && node setup/slim-image.mjs /image

# Node alone: no npm, no package manager of JavaScript.
FROM ${NODE_IMAGE} AS node

FROM ${BASE_IMAGE}
RUN useradd --uid 1000 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin clips \
 && install --directory --owner=clips --group=clips --mode=0700 /data
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /image /
WORKDIR /app

# DATA_DIR holds what is a process's own; nothing else is written, so that the root file system may be read-only (with a
# tmpfs for /tmp). Two variables of the allocator keep idle processes small, as the npm scripts set them.
ENV NODE_ENV=production \
    HOME=/tmp \
    DATA_DIR=/data \
    WORKER_HTTP_PORT=9464 \
    MALLOC_ARENA_MAX=1 \
    MALLOC_TRIM_THRESHOLD_=131072
VOLUME /data
# By number, as Kubernetes' runAsNonRoot wants it.
USER 1000:1000
EXPOSE 3000 8288 9464
HEALTHCHECK --interval=5s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "/app/setup/healthcheck.mjs"]
# Without npm or a shell in between: signals reach the process.
ENTRYPOINT ["node", "/app/setup/run.mjs"]
