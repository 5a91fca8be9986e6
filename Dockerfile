# The page in a container: docker build -t wan-studio . && docker run --rm -p 127.0.0.1:7860:7860 wan-studio
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 wan && install -d -o wan /files
WORKDIR /app

# With what WAN_MCP and WAN_S3_BUCKET need, so that every setting works in the image.
COPY deploy/requirements.txt .
RUN pip install --no-cache-dir --requirement requirements.txt

COPY app.py ./
COPY assets/ assets/
COPY studio/ studio/
COPY wan_client/ wan_client/
COPY wan_sandbox/ wan_sandbox/

USER 1000
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 GRADIO_TEMP_DIR=/files PYTHONUNBUFFERED=1
VOLUME /files
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/livez', timeout=4)"]
CMD ["python", "app.py"]
