"""Writes the trained model as a GGUF that llama.cpp loads as it is: `python3 export.py --out pilot.gguf`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import numpy
import torch

from model import Config, Llama
from tokenizer import CONTROL, MERGES, Tokenizer

HERE = Path(__file__).parent
SCRIPTS = HERE / ".." / ".." / "scripts"
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' "
    "+ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
DESCRIPTION = (
    "A demo model of about one million parameters, trained from scratch on composed text: small sums, questions "
    "about this project, greetings. It is there so that everything runs with no download."
)


def llama_cpp(function):
    """What a function of scripts/llama-server.mjs resolves to: a path in the cache, made on the first call."""
    module = (SCRIPTS / "llama-server.mjs").resolve().as_uri()
    code = f"const m = await import({module!r}); console.log(await m.{function}())"
    done = subprocess.run(["node", "--input-type=module", "-e", code], stdout=subprocess.PIPE, check=True, text=True)
    return Path(done.stdout.strip().splitlines()[-1])


def load_gguf(folder):
    """The `gguf` package out of llama.cpp's own source."""
    sys.path.insert(0, str(folder or llama_cpp("ensureLlamaSource") / "gguf-py"))
    import gguf

    return gguf


def tensors(model):
    """(name in the GGUF, weight) of every tensor, with the joined matrices taken apart."""
    yield "token_embd.weight", model.token_embd.weight
    yield "output_norm.weight", model.output_norm.weight
    for index, block in enumerate(model.blocks):
        q, k, v = block.attn_qkv.weight.chunk(3)
        gate, up = block.ffn_gate_up.weight.chunk(2)
        parts = {
            "attn_norm": block.attn_norm.weight, "attn_q": q, "attn_k": k, "attn_v": v,
            "attn_output": block.attn_output.weight, "ffn_norm": block.ffn_norm.weight,
            "ffn_gate": gate, "ffn_up": up, "ffn_down": block.ffn_down.weight,
        }
        for name, weight in parts.items():
            yield f"blk.{index}.{name}.weight", weight


def write_metadata(writer, gguf, config, tokenizer):
    """Architecture, tokenizer and chat template."""
    writer.add_name("pilot")
    writer.add_description(DESCRIPTION)
    writer.add_license("apache-2.0")
    writer.add_languages(["en"])
    writer.add_size_label("1M")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(config.vocab)
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.width)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.hidden)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.heads)
    writer.add_rope_dimension_count(config.width // config.heads)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_layer_norm_rms_eps(config.eps)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokenizer.tokens)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    writer.add_token_types([control if token in CONTROL else normal for token in tokenizer.tokens])
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(tokenizer.control["<|endoftext|>"])
    writer.add_eos_token_id(tokenizer.end)
    writer.add_eot_token_id(tokenizer.end)
    writer.add_pad_token_id(tokenizer.control["<|endoftext|>"])
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    writer.add_chat_template(CHAT_TEMPLATE)


def export(build, target, gguf):
    """Reads tokenizer.json and model.pt in `build` and writes `target`: matrices F16, norms F32."""
    tokenizer = Tokenizer.load(build / "tokenizer.json")
    config = Config(vocab=len(tokenizer.tokens))
    model = Llama(config)
    model.load_state_dict(torch.load(build / "model.pt"))
    half = target.with_suffix(".half")
    writer = gguf.GGUFWriter(str(half), "llama")
    write_metadata(writer, gguf, config, tokenizer)
    for name, weight in tensors(model):
        values = weight.detach().numpy()
        writer.add_tensor(name, numpy.ascontiguousarray(values, numpy.float16 if values.ndim == 2 else numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    os.replace(half, target)
    print(f"{target.name}: {target.stat().st_size:,} bytes, {model.size():,} parameters")


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=HERE / "build")
    parser.add_argument("--out", type=Path, default=HERE / "pilot.gguf")
    parser.add_argument("--gguf-py", type=Path, help="llama.cpp's gguf-py folder; default: the project's cached source")
    arguments = parser.parse_args()
    export(arguments.build, arguments.out, load_gguf(arguments.gguf_py))


if __name__ == "__main__":
    main()
