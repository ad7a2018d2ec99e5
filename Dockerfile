# The program alone, without what tests and benchmarks need. `docker compose up` builds it; see docker-compose.yml.
FROM python:3.13-slim AS build
WORKDIR /build
COPY bootstrap.lock requirements-runtime.lock ./
RUN python -m venv tools \
 && tools/bin/pip install --no-cache-dir --require-hashes -r bootstrap.lock \
 && python -m venv --without-pip /opt/commcredits \
 && tools/bin/uv pip install --no-cache --compile-bytecode --python /opt/commcredits/bin/python \
      --require-hashes -r requirements-runtime.lock
COPY pyproject.toml README.md ./
COPY domain domain
COPY application application
COPY consumers consumers
COPY projections projections
COPY adapters adapters
COPY api api
COPY commcredits commcredits
COPY examples examples
RUN tools/bin/hatchling build -t wheel -d dist \
 && tools/bin/uv pip install --no-cache --no-deps --compile-bytecode --python /opt/commcredits/bin/python dist/*.whl

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin commcredits \
 && install -d -o commcredits -g commcredits /var/lib/commcredits
COPY --from=build /opt/commcredits /opt/commcredits
ENV PATH=/opt/commcredits/bin:$PATH PYTHONUNBUFFERED=1
USER commcredits
# where the embedded store goes when no other is named
WORKDIR /var/lib/commcredits
VOLUME /var/lib/commcredits
STOPSIGNAL SIGTERM
ENTRYPOINT ["commcredits"]
CMD ["--help"]
