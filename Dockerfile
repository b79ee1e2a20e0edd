# The worker: production packages only, no compiler (ssh2 then uses JavaScript cryptography), no root.
FROM node:24.21.0-slim

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/build-native.mjs scripts/
RUN npm ci --omit=dev
COPY tsconfig.json clawback ./
COPY src src

USER node
ENV NODE_ENV=production
ENTRYPOINT ["node", "src/worker.ts"]
CMD ["--fleet", "/config/fleet.yaml"]
