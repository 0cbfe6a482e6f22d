# syntax=docker/dockerfile:1
# Node's version is that of package.json, which everything was tested with.
FROM node:24.21.0-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# What the installation builds.
COPY packages packages
COPY web web
COPY tools/build.ts tools/
COPY scripts/needs-node-24.cjs scripts/
# The install scripts make the symlinks of the embedded PostgreSQL's libraries.
RUN npm ci --omit=dev --no-audit --no-fund

FROM node:24.21.0-slim
# Why two arenas, and the options of Node below: docs/operations.md, "Memory".
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATA_DIR=/data MALLOC_ARENA_MAX=2
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=dependencies /app/web/dist web/dist
COPY package.json LICENSE ./
COPY scripts scripts
COPY src src
# The log and the metric chat_build_info name it.
ARG COMMIT=unknown
RUN echo "$COMMIT" > COMMIT
# Empty and owned by the user, so that a fresh named volume is too.
RUN install -d -o node -g node -m 0711 /data
VOLUME /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The process itself, not npm: it is the one to receive SIGTERM, and stops in order within 25 s.
CMD ["node", "--require=./scripts/needs-node-24.cjs", "--max-semi-space-size=16", "--max-old-space-size=1536", "src/main.ts"]
