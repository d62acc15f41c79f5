# syntax=docker/dockerfile:1
ARG NODE_VERSION=24

# Compiles the sources; nothing of this stage but the two dist/ reaches the image.
FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/tidemark/package.json ./packages/tidemark/
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build.mjs scripts/commonjs.mjs scripts/page-assets.mjs ./scripts/
COPY packages/tidemark/tsconfig.build.json ./packages/tidemark/
COPY packages/tidemark/page ./packages/tidemark/page
COPY packages/tidemark/src ./packages/tidemark/src
COPY src ./src
RUN npm run build

# What the service needs to run: no development package and no embedded database.
FROM node:${NODE_VERSION}-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/tidemark/package.json ./packages/tidemark/
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:${NODE_VERSION}-bookworm-slim AS runtime
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/packages/tidemark/dist ./packages/tidemark/dist
COPY --from=build /app/dist ./dist
COPY packages/tidemark/package.json ./packages/tidemark/
COPY package.json ./
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/health/live`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# The service ends itself on SIGTERM; run it with `--init` where child processes are to be reaped.
STOPSIGNAL SIGTERM
CMD ["node", "dist/main.js"]
