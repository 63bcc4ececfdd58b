# Built and run without root; nothing of the build stays in the image.
FROM node:20-slim AS build
WORKDIR /gait
COPY package.json package-lock.json ./
# Scripts wait until the sources are there: `prepare` compiles them.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN npm run --silent build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:20-slim
ENV NODE_ENV=production GAIT_DATA_DIR=/var/lib/gait
WORKDIR /gait
COPY --from=build /gait/node_modules node_modules
COPY --from=build /gait/dist/src dist/src
COPY --from=build /gait/dist/pipelines dist/pipelines
COPY --from=build /gait/models models
COPY --from=build /gait/pipelines pipelines
COPY --from=build /gait/package.json /gait/LICENSE /gait/NOTICE ./
RUN mkdir -p /var/lib/gait && chown node:node /var/lib/gait
USER node
VOLUME /var/lib/gait
EXPOSE 4420
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:'+(process.env.GAIT_HTTP_PORT||4420)+'/healthz').then((r)=>process.exit(r.ok?0:1),()=>process.exit(1))"]
# Node is process 1 and takes SIGTERM itself: it drains, makes a checkpoint and ends with 0.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "--enable-source-maps", "--max-semi-space-size=64", "--no-memory-reducer", "dist/src/cli.js"]
CMD ["start"]
