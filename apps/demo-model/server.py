"""A llama-server of our own on a free port, and the few calls that the evaluation makes to it."""

import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

from export import llama_cpp


class LlamaServer:
    """Starts llama-server with a GGUF on 127.0.0.1; use it in a `with` block, which ends it again."""

    def __init__(self, gguf, binary=None, slots=4):
        binary = binary or llama_cpp("ensureLlamaServer")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [binary, "-m", gguf, "--host", "127.0.0.1", "--port", port, "-c", 1024 * slots, "-np", slots,
                   "-t", 2, "--no-webui"]
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self):
        try:
            self._wait()
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()

    def _wait(self, seconds=60):
        """Until the model is loaded; a thread keeps reading stderr, so that a full pipe never blocks the server."""
        lines = []
        threading.Thread(target=lambda: lines.extend(self.process.stderr), daemon=True).start()
        end = time.time() + seconds
        while time.time() < end:
            if self.process.poll() is not None:
                time.sleep(0.2)
                raise RuntimeError("llama-server ended while loading:\n" + "".join(lines[-15:]))
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=5).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError(f"llama-server at {self.url} was not ready after {seconds} s")

    def post(self, path, body):
        """POSTs JSON and returns the JSON of the reply."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as reply:
            return json.load(reply)

    def chat(self, messages, sampling):
        """The reply to a conversation, and why it ended."""
        choice = self.post("/v1/chat/completions", {"messages": messages, "max_tokens": 320, **sampling})["choices"][0]
        return choice["message"]["content"] or "", choice["finish_reason"]

    def complete(self, prompt, sampling):
        """The continuation of a bare prompt, without the chat template."""
        return self.post("/completion", {"prompt": prompt, "n_predict": 320, **sampling})["content"]

    def tokenize(self, text):
        """Token ids of a text with control tokens."""
        return self.post("/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
