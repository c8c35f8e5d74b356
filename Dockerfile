FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json rolldown.config.mjs ./
COPY bin bin
COPY src src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /opt/callarchive
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/bin bin
COPY --from=build /build/dist dist
# The archive and the outputs belong to `node`, by number: Kubernetes' runAsNonRoot reads no names.
RUN ln -s /opt/callarchive/bin/callarchive.js /usr/local/bin/callarchive \
    && install --directory --owner=1000 --group=1000 --mode=0700 /data
USER 1000:1000
WORKDIR /data
VOLUME /data
ENTRYPOINT ["callarchive"]
CMD ["--help"]
