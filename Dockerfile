# The worker: production packages only, no compiler (ssh2 then uses JavaScript cryptography), no root.
FROM node:24.21.0-slim

# Certificates for TLS to Temporal (its client brings none of its own), ssh-keygen for signed approvals, and what opens
# the old scripts' encrypted archives.
RUN apt-get update && \
    apt-get install -y --no-install-recommends ca-certificates gnupg openssh-client openssl && \
    rm -rf /var/lib/apt/lists/*

WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY scripts/build-native.mjs scripts/
RUN npm ci --omit=dev
COPY tsconfig.json clawback ./
COPY src src

USER node
# As `./clawback worker` starts its processes (src/config/worker-process.ts): a process of streams stays small.
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=262144 \
    MALLOC_TRIM_THRESHOLD_=1048576
ENTRYPOINT ["node", "--max-semi-space-size=1", "src/worker.ts"]
CMD ["--fleet", "/config/fleet.yaml"]
