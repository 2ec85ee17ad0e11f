#include "core.h"

#include "cancelled.h"
#include "llama.h"
#include "log.h"

#include <chrono>
#include <set>
#include <stdexcept>
#include <system_error>

static thread_local const std::atomic<bool> * cancelled_of_thread = nullptr;

bool request_is_cancelled() {
    return cancelled_of_thread != nullptr && cancelled_of_thread->load();
}

// llama.cpp has one log for the process: a line goes to every core, and each keeps the last complaint.
namespace {

std::mutex                    log_mutex;
std::set<const Core::Sink *>  log_sinks;
thread_local std::string      complaint;

void on_log(ggml_log_level level, const char * text, void *) {
    std::string line(text);
    while (!line.empty() && line.back() == '\n') line.pop_back();
    if (line.empty()) return;
    if (level == GGML_LOG_LEVEL_ERROR) complaint = line;
    std::lock_guard<std::mutex> lock(log_mutex);
    for (const auto * sink : log_sinks) (*sink)({CoreEvent::LOG, 0, double(level), line});
}

void start_backend() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Its own log would go to the app's stdout and stderr.
        common_log_pause(common_log_main());
        llama_log_set(on_log, nullptr);
        llama_backend_init();
    });
}

common_params params_of(const CoreSettings & settings) {
    common_params params;
    params.model.path  = settings.model;
    params.model_alias = {settings.alias};
    params.mmproj.path = settings.mmproj;
    params.n_parallel  = settings.parallel;
    // The context is shared out among the sequences.
    params.n_ctx       = settings.context_tokens * settings.parallel;
    // llama.cpp rounds it up.
    params.kv_unified_per_slot = settings.context_tokens;
    // A cancelled request is let go between batches.
    params.n_batch     = params.n_ubatch;
    params.n_gpu_layers       = settings.gpu_layers;
    params.cpuparams.n_threads = settings.threads;
    params.cpuparams_batch    = params.cpuparams;
    params.speculative.draft.cpuparams       = params.cpuparams;
    params.speculative.draft.cpuparams_batch = params.cpuparams;
    params.embedding          = settings.embedding;
    params.pooling_type       = static_cast<enum llama_pooling_type>(settings.pooling);
    // A text is made a vector of in one piece.
    if (settings.embedding) params.n_batch = params.n_ubatch = params.n_ctx;
    params.cache_ram_mib      = settings.cache_mib;
    // A prompt is copied when another takes its sequence, not at each request.
    params.cache_idle_slots   = false;
    // What the caller has decided is not to be changed.
    params.fit_params         = false;
    params.sse_ping_interval  = -1;
    return params;
}

// What the file alone does not tell: whether the chat template has a format of its own for tools.
std::string facts_of(const server_context_meta & meta) {
    const auto caps = [&](const char * name) {
        const auto found = meta.chat_template_caps.find(name);
        return found != meta.chat_template_caps.end() && found->second;
    };
    return safe_json_to_str({{"toolCalls", caps("supports_tools") && caps("supports_tool_calls")}});
}

server_http_res_ptr error_answer(const std::string & message, error_type type) {
    auto       res   = std::make_unique<server_http_res>();
    const json error = format_error_response(message, type);
    res->status      = json_value(error, "code", 500);
    res->data        = safe_json_to_str({{"error", error}});
    return res;
}

server_http_res_ptr answer(const server_http_context::handler_t & handler, const server_http_req & req) {
    try {
        return handler(req);
    } catch (const std::invalid_argument & e) {
        return error_answer(e.what(), ERROR_TYPE_INVALID_REQUEST);
    } catch (const common_json_error & e) {
        // Such as half of a surrogate pair in a text.
        return error_answer(e.what(), ERROR_TYPE_INVALID_REQUEST);
    } catch (const std::exception & e) {
        return error_answer(e.what(), ERROR_TYPE_SERVER);
    } catch (...) {
        return error_answer("unknown error", ERROR_TYPE_SERVER);
    }
}

// What would be written into a stream; false behind the last piece.
bool next_of(server_http_res & res, std::string & chunk) {
    try {
        return res.next(chunk);
    } catch (const std::exception & e) {
        chunk = "data: " + safe_json_to_str({{"error", format_error_response(e.what(), ERROR_TYPE_SERVER)}}) + "\n\n";
        return false;
    }
}

} // namespace

Core::Core(CoreSettings settings, Sink given) : sink(std::move(given)), params(params_of(settings)) {
    start_backend();
    if (settings.log) {
        std::lock_guard<std::mutex> lock(log_mutex);
        log_sinks.insert(&sink);
    }
    context.set_state_callback([this](server_state state, const json & payload) {
        if (state != SERVER_STATE_LOADING || !payload.contains("value")) return;
        // The only way to end a load: llama.cpp takes it for a failed one.
        if (closing) throw std::runtime_error("given up");
        sink({CoreEvent::PROGRESS, 0, payload.at("value").get<double>(), ""});
    });
    routes   = std::make_unique<server_routes>(params, context);
    handlers = {
        {"GET /health",                           routes->get_health},
        {"GET /props",                            routes->get_props},
        {"GET /slots",                            routes->get_slots},
        {"GET /v1/models",                        routes->get_models},
        {"POST /completion",                      routes->post_completions},
        {"POST /v1/completions",                  routes->post_completions_oai},
        {"POST /v1/chat/completions",             routes->post_chat_completions},
        {"POST /v1/responses",                    routes->post_responses_oai},
        {"POST /v1/messages",                     routes->post_anthropic_messages},
        {"POST /v1/messages/count_tokens",        routes->post_anthropic_count_tokens},
        {"POST /v1/chat/completions/input_tokens", routes->post_chat_completions_tok},
        {"POST /apply-template",                  routes->post_apply_template},
        {"POST /tokenize",                        routes->post_tokenize},
        {"POST /detokenize",                      routes->post_detokenize},
        {"POST /embedding",                       routes->post_embeddings},
        {"POST /v1/embeddings",                   routes->post_embeddings_oai},
        {"POST /v1/rerank",                       routes->post_rerank},
        {"POST /infill",                          routes->post_infill},
    };
    runner = std::thread([this] { run(); });
}

Core::~Core() {
    // It stops, too, and the two of them would join the same threads.
    if (closer.joinable()) closer.join();
    stop();
    std::lock_guard<std::mutex> lock(log_mutex);
    log_sinks.erase(&sink);
}

void Core::request(int id, const std::string & route, std::string body) {
    auto & request = *(requests[id] = std::make_unique<Request>());
    request.body   = std::move(body);
    const auto found = handlers.find(route);
    const auto handler = found != handlers.end() ? found->second : [route](const server_http_req &) {
        return error_answer("there is no " + route, ERROR_TYPE_NOT_FOUND);
    };
    try {
        request.thread = std::thread([this, id, handler, &request] { serve(id, handler, request); });
    } catch (const std::system_error & e) {
        const auto res = error_answer(std::string("no thread for the request: ") + e.what(), ERROR_TYPE_UNAVAILABLE);
        sink({CoreEvent::HEAD, id, double(res->status), res->content_type});
        sink({CoreEvent::DATA, id, 0, res->data});
        sink({CoreEvent::END, id, 0, ""});
    }
}

void Core::cancel(int id) {
    const auto found = requests.find(id);
    if (found != requests.end()) found->second->cancelled = true;
}

void Core::forget(int id) {
    const auto found = requests.find(id);
    if (closing || found == requests.end()) return;
    if (found->second->thread.joinable()) found->second->thread.join();
    requests.erase(found);
}

void Core::close() {
    if (closer.joinable()) return;
    // From here on the requests are the closer's to go through: forget() leaves them alone.
    closing = true;
    closer = std::thread([this] {
        stop();
        sink({CoreEvent::CLOSED, 0, 0, ""});
    });
}

void Core::run() {
    try {
        load_and_serve();
    } catch (const std::exception & e) {
        sink({CoreEvent::FAILED, 0, 0, e.what()});
    } catch (...) {
        sink({CoreEvent::FAILED, 0, 0, "unknown error"});
    }
    over = true;
}

void Core::load_and_serve() {
    // Otherwise they would go to the CPU without a word.
    if (params.n_gpu_layers > 0 && !llama_supports_gpu_offload()) {
        throw std::runtime_error("it was compiled without a GPU backend, or there is no GPU");
    }
    complaint.clear();
    if (!context.load_model(params)) {
        throw std::runtime_error(complaint.empty() ? "llama.cpp does not say why" : complaint);
    }
    routes->update_meta(context);
    sink({CoreEvent::LOADED, 0, 0, facts_of(context.get_meta())});
    context.start_loop();
}

void Core::serve(int id, const server_http_context::handler_t & handler, Request & request) {
    cancelled_of_thread = &request.cancelled;
    const std::function<bool()> should_stop = [&request] { return request.cancelled.load(); };
    const server_http_req req{{}, {}, "", "", std::move(request.body), {}, should_stop};
    {
        const auto res = answer(handler, req);
        sink({CoreEvent::HEAD, id, double(res->status), res->content_type});
        if (res->is_stream()) {
            bool more = true;
            while (more) {
                std::string chunk;
                more = next_of(*res, chunk);
                if (!chunk.empty()) sink({CoreEvent::DATA, id, 0, std::move(chunk)});
            }
        } else {
            sink({CoreEvent::DATA, id, 0, std::move(res->data)});
        }
        res->on_complete();
        // With it goes the place in the queue, and the sequence.
    }
    sink({CoreEvent::END, id, 0, ""});
}

// The requests go first: llama.cpp's queue of results must not be closed while somebody waits at it.
void Core::stop() {
    closing = true;
    for (auto & [id, request] : requests) request->cancelled = true;
    for (auto & [id, request] : requests) {
        if (request->thread.joinable()) request->thread.join();
    }
    while (!over) {
        // Ending a loop that has not begun yet would be forgotten.
        context.terminate();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (runner.joinable()) runner.join();
}
