# The image the hub builds and starts. Why this base, no s6 and no compiler in the result: docs/decisions/0010.

# Where wheels become an environment; nothing of this stage but /opt/venv is kept.
FROM debian:trixie-slim AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY pyproject.toml constraints.txt ./
# Wheels only: a package that would need a compiler fails here, not on someone's small machine.
RUN python3 -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
        > requirements.txt \
    && python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
        --constraint constraints.txt --requirement requirements.txt \
    && /opt/venv/bin/pip uninstall --yes --quiet pip \
    && find /opt/venv -type d \( -name tests -o -name test \) -prune -exec rm -rf {} +

FROM debian:trixie-slim
ARG BUILD_VERSION=0.1.0
ARG BUILD_ARCH=amd64
LABEL io.hass.type="app" \
      io.hass.version="${BUILD_VERSION}" \
      io.hass.arch="${BUILD_ARCH}" \
      org.opencontainers.image.title="Nightshift" \
      org.opencontainers.image.description="Learns your home's habits overnight and suggests automations" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${BUILD_VERSION}"
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 899 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin nightshift
COPY --from=build /opt/venv /opt/venv
WORKDIR /opt/nightshift
COPY run.sh LICENSE ./
COPY app ./app
RUN chmod 0755 run.sh && /opt/venv/bin/python -m compileall -q app
ENV LANG=C.UTF-8 \
    NIGHTSHIFT_DATA=/data \
    NIGHTSHIFT_PYTHON=/opt/venv/bin/python \
    PYTHONUNBUFFERED=1
EXPOSE 8099
# The process, not its neighbours: a hub that restarts must not get Nightshift restarted too. Bash speaks
# enough HTTP for this, at a thirtieth of what a Python costs each minute.
HEALTHCHECK --interval=60s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8099 && printf 'GET /health HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
# Starts as root only to take over /data from the hub, then drops to `nightshift`: see run.sh.
CMD ["/opt/nightshift/run.sh", "serve"]
