# Images of Bonafide: `cpu` (the default) and `cuda`. CONTRIBUTING.md has the commands, without a Docker engine too.
ARG BASE=debian:bookworm-slim
ARG RUST_BASE=rust:1.95.0-slim-bookworm

# The base with what the binary is linked to.
FROM ${BASE} AS libraries
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY scripts/lib/debian-run.txt /tmp/packages/
# hadolint ignore=DL3008
RUN apt-get update -qq \
    && sed 's/#.*//' /tmp/packages/*.txt | xargs apt-get install -y -qq --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log /tmp/packages

# The base with the compiler's packages.
FROM ${RUST_BASE} AS toolchain
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY scripts/lib/debian-build.txt /tmp/packages/
# hadolint ignore=DL3008
RUN apt-get update -qq \
    && sed 's/#.*//' /tmp/packages/*.txt | xargs apt-get install -y -qq --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /tmp/packages

FROM toolchain AS builder
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/var/cache/cargo \
    CARGO_HOME=/var/cache/cargo/home CARGO_TARGET_DIR=/var/cache/cargo/target \
    cargo build --locked --release --bin bonafide \
    && install -D --mode 755 /var/cache/cargo/target/release/bonafide /out/bonafide \
    && strip --strip-debug /out/bonafide

# The models and ONNX Runtime for the CPU, checked against models/manifest.toml.
FROM libraries AS clients
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY scripts/lib/debian-fetch.txt /tmp/packages/
# hadolint ignore=DL3008
RUN apt-get update -qq \
    && { sed 's/#.*//' /tmp/packages/*.txt; echo npm; } | xargs apt-get install -y -qq --no-install-recommends \
    && rm -rf /var/lib/apt/lists/* /tmp/packages

FROM clients AS models
COPY --from=builder /out/bonafide /usr/local/bin/
RUN bonafide models fetch --models-dir /opt/bonafide/models

# ONNX Runtime for NVIDIA and CUDA's libraries in one folder. The driver comes from the host.
FROM clients AS cuda-libraries
COPY scripts/lib/cuda-requirements.txt /tmp/
# hadolint ignore=DL3042
RUN python3 -m pip install --quiet --no-cache-dir --no-deps --require-hashes --only-binary :all: \
        --target /tmp/cuda --requirement /tmp/cuda-requirements.txt \
    && mkdir -p /opt/cuda \
    && find /tmp/cuda/onnxruntime/capi /tmp/cuda/nvidia -name 'lib*.so*' ! -name '*tensorrt*' -exec mv --target-directory /opt/cuda {} + \
    && rm -rf /tmp/cuda

# What both images have in common: the binary, the models, a user without a name and a folder for data.
FROM libraries AS common
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Bonafide" \
      org.opencontainers.image.description="Tells whether the person in a remote video interview is genuine: scores with reasons over gRPC." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=builder /out/bonafide /usr/local/bin/
COPY --from=models /opt/bonafide/models /opt/bonafide/models
COPY LICENSE NOTICE /usr/share/doc/bonafide/
RUN install -d --owner 65532 --group 65532 --mode 700 /var/lib/bonafide
ENV BONAFIDE__INFERENCE__MODELS_DIR=/opt/bonafide/models \
    BONAFIDE__STORE__DATABASE=/var/lib/bonafide/bonafide.sqlite \
    BONAFIDE__KEYS__FILE=/var/lib/bonafide/keys.toml
WORKDIR /var/lib/bonafide
VOLUME /var/lib/bonafide
USER 65532:65532
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["bonafide", "healthcheck"]
ENTRYPOINT ["bonafide"]
CMD ["serve"]

FROM common AS cuda
COPY --from=cuda-libraries /opt/cuda /opt/cuda
ENV LD_LIBRARY_PATH=/opt/cuda \
    BONAFIDE__INFERENCE__RUNTIME_LIBRARY=/opt/cuda/libonnxruntime.so.1.31.1

FROM common AS cpu
