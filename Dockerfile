# One image with the server and the seeder: two static programs, the public
# certificate authorities, and nothing else, no shell either.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=development
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    make build VERSION="$VERSION"

FROM scratch
# For a peer or a store that is reached over TLS.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/bin/server /src/bin/seed /
# A number, so that "runAsNonRoot" can see that it is not root.
USER 65532:65532
# Who forgets ENVIRONMENT gets the strict settings, not the lenient ones.
ENV ENVIRONMENT=production
EXPOSE 8787 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["/server", "healthcheck"]
ENTRYPOINT ["/server"]
CMD ["serve"]
