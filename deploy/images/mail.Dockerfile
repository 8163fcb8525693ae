# A real SMTP server for trying things out: it takes every message on port 8025 and keeps it as a file in the
# Maildir /mail/box, sends nothing on, and prints nothing, since messages name people.
# Read them with: docker compose exec mail sh -c 'cat /mail/box/new/*'

FROM python:3.13-slim AS build
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN --mount=type=cache,target=/root/.cache pip install --quiet --root-user-action=ignore uv==0.13.9
COPY requirements.lock /src/
RUN --mount=type=cache,target=/root/.cache \
    uv venv --quiet /venv && uv pip install --quiet --python /venv --constraints /src/requirements.lock aiosmtpd

FROM python:3.13-slim
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
RUN mkdir /mail && chown 10001:10001 /mail
USER 10001:10001
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import smtplib; smtplib.SMTP('127.0.0.1', 8025, timeout=4).noop()"]
STOPSIGNAL SIGINT
CMD ["aiosmtpd", "--nosetuid", "--listen", "0.0.0.0:8025", "--class", "aiosmtpd.handlers.Mailbox", "/mail/box"]
