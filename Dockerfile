# docker build -t pipit . && docker run -p 4222:4222 pipit [nats-server's options]
FROM debian:12 AS build
WORKDIR /source
COPY . .
RUN scripts/image /image

FROM scratch
COPY --from=build /image /
COPY --from=build --chown=65532:65532 /image/data /data
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 4222 8222
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=2s CMD ["/usr/bin/pipit-health"]
ENTRYPOINT ["/usr/bin/pipit-server"]
CMD ["-c", "/etc/pipit/pipit.conf"]
