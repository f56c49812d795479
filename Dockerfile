# The images of voxk8s: `docker build --target engine|operator|dask-operator|s3 .`
#
# Dependencies come from uv.lock and lie in layers of their own; our package, which changes most
# often, is the last and small layer. Every image runs as user 65532, on a read-only root if asked.

# Any Debian or similar with Python >= 3.11 and its venv module.
ARG BASE_IMAGE=python:3.13-slim-trixie@sha256:9662417aace5ae7b8e2609cce472b72a8958e134ba372808abe9cc1a0c0125e6

# ---- tools that build and do not ship
FROM ${BASE_IMAGE} AS uv
COPY .ci/uv.txt .ci/build-tools.txt /tools/
# Where packages come from and whom to trust are the builder's matters.
ARG PIP_INDEX_URL
ARG PIP_CERT
RUN --mount=type=secret,id=host-ca \
    python3 -m venv /uv \
    && /uv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check \
        --require-hashes -r /tools/uv.txt -r /tools/build-tools.txt
ENV PATH=/uv/bin:$PATH

# ---- the locked versions, one list an image: only a list that changes makes its layer anew
FROM uv AS requirements
WORKDIR /lock
COPY pyproject.toml uv.lock ./
RUN export UV_OFFLINE=1 UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never; \
    list() { name=$1; shift; uv export --quiet --frozen --no-default-groups --no-emit-project \
        --no-header --no-annotate "$@" --output-file /lock/$name.txt; }; \
    list engine --extra engine --extra operator \
    && list operator --extra operator \
    && list dask-operator --only-group dask-operator \
    && list s3 --only-group s3

# ---- what all images share: an environment, a user, no installers
FROM ${BASE_IMAGE} AS runtime
RUN python3 -m venv --without-pip /opt/voxk8s \
    && echo /opt/voxk8s/site > "$(/opt/voxk8s/bin/python -c 'import site; print(site.getsitepackages()[0])')/voxk8s.pth" \
    && rm -rf /usr/local/bin/pip* /usr/local/lib/python3*/site-packages/pip* \
        /usr/share/python-wheels /usr/lib/python3*/ensurepip /usr/local/lib/python3*/ensurepip \
    && echo 'voxk8s:x:65532:65532:voxk8s:/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'voxk8s:x:65532:' >> /etc/group
# HOME lies where pods mount an emptyDir; logs are not held back; nothing writes beside the code.
ENV PATH=/opt/voxk8s/bin:/opt/voxk8s/site/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /tmp

# ---- our package, with byte code, ready to be laid on top
FROM runtime AS package
WORKDIR /source
COPY pyproject.toml build_backend.py README.md LICENSE ./
COPY voxk8s voxk8s
RUN --mount=type=bind,from=uv,source=/uv,target=/uv \
    export CC="/uv/bin/python -m ziglang cc -mcpu=baseline" ZIG_GLOBAL_CACHE_DIR=/tmp/zig \
    && export LDSHARED="$CC -shared -s" \
    && /uv/bin/uv build --quiet --no-cache --offline --no-build-isolation --python /uv/bin/python \
        --wheel --out-dir /wheels . \
    && rm -rf /tmp/zig \
    && /uv/bin/uv pip install --quiet --no-cache --offline --no-deps --compile-bytecode \
        --python /opt/voxk8s/bin/python --target /site /wheels/*.whl

# ---- the operator: nothing that computes
FROM runtime AS operator-dependencies
ARG UV_DEFAULT_INDEX
ARG SSL_CERT_FILE
COPY --from=requirements /lock/operator.txt /opt/voxk8s/requirements.txt
RUN --mount=type=bind,from=uv,source=/uv,target=/uv --mount=type=secret,id=host-ca \
    --mount=type=cache,id=voxk8s-uv,target=/uv-cache,sharing=locked \
    UV_CACHE_DIR=/uv-cache UV_LINK_MODE=copy /uv/bin/uv pip install --quiet --require-hashes \
        --compile-bytecode --python /opt/voxk8s/bin/python -r /opt/voxk8s/requirements.txt
USER 65532:65532

FROM operator-dependencies AS operator
COPY --from=package /site /opt/voxk8s/site
CMD ["python", "-m", "voxk8s.controller"]

# ---- schedulers, workers, runners; the operator's libraries are theirs too, installed and kept once
FROM operator-dependencies AS engine-dependencies
USER root
ARG UV_DEFAULT_INDEX
ARG SSL_CERT_FILE
COPY --from=requirements /lock/engine.txt /opt/voxk8s/requirements.txt
RUN --mount=type=bind,from=uv,source=/uv,target=/uv --mount=type=secret,id=host-ca \
    --mount=type=cache,id=voxk8s-uv,target=/uv-cache,sharing=locked \
    UV_CACHE_DIR=/uv-cache UV_LINK_MODE=copy /uv/bin/uv pip install --quiet --require-hashes \
        --compile-bytecode --python /opt/voxk8s/bin/python -r /opt/voxk8s/requirements.txt
USER 65532:65532

FROM engine-dependencies AS engine
COPY --from=package /site /opt/voxk8s/site

# ---- the dask-kubernetes operator; its chart gives arguments only
FROM runtime AS dask-operator
ARG UV_DEFAULT_INDEX
ARG SSL_CERT_FILE
COPY --from=requirements /lock/dask-operator.txt /opt/voxk8s/requirements.txt
RUN --mount=type=bind,from=uv,source=/uv,target=/uv --mount=type=secret,id=host-ca \
    --mount=type=cache,id=voxk8s-uv,target=/uv-cache,sharing=locked \
    UV_CACHE_DIR=/uv-cache UV_LINK_MODE=copy /uv/bin/uv pip install --quiet --require-hashes \
        --compile-bytecode --python /opt/voxk8s/bin/python -r /opt/voxk8s/requirements.txt
USER 65532:65532
ENTRYPOINT ["kopf", "run", "-m", "dask_kubernetes.operator.controller"]

# ---- a small S3 server for tests, demos and laptops; the chart starts it by a program of its own
FROM runtime AS s3
RUN command -v openssl
ARG UV_DEFAULT_INDEX
ARG SSL_CERT_FILE
COPY --from=requirements /lock/s3.txt /opt/voxk8s/requirements.txt
RUN --mount=type=bind,from=uv,source=/uv,target=/uv --mount=type=secret,id=host-ca \
    --mount=type=cache,id=voxk8s-uv,target=/uv-cache,sharing=locked \
    UV_CACHE_DIR=/uv-cache UV_LINK_MODE=copy /uv/bin/uv pip install --quiet --require-hashes \
        --python /opt/voxk8s/bin/python -r /opt/voxk8s/requirements.txt
USER 65532:65532
ENTRYPOINT ["weed"]
