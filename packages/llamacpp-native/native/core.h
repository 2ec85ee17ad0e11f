#pragma once

#include "server-context.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

struct CoreSettings {
    std::string model;
    std::string alias;              // its name in answers
    std::string mmproj;             // empty: no images
    int         context_tokens = 0; // of one sequence; 0: as trained
    int         parallel       = 1; // sequences
    int         threads        = 1;
    int         gpu_layers     = 0;
    int         cache_mib      = 0; // memory for prompts that are in no sequence any more
    bool        embedding      = false;
    int         pooling        = -1;    // llama_pooling_type; -1: the model's own
    bool        log            = false; // whether LOG is wanted
};

// What happens in a core. `id` is the request's; 0 where it is about the core itself.
struct CoreEvent {
    enum Kind { PROGRESS, LOADED, FAILED, CLOSED, LOG, HEAD, DATA, END };
    Kind        kind;
    int         id     = 0;
    double      number = 0; // PROGRESS: 0 to 1. HEAD: HTTP status. LOG: ggml_log_level
    std::string text;       // LOADED: facts as JSON. FAILED: why. LOG: the line. HEAD: content type. DATA: bytes
};

// One model with llama.cpp's server core over it: a thread that evaluates, and one for each request under way, which
// waits for results and writes the answer as llama-server would write it to its socket.
class Core {
public:
    // Called from any thread; must not block.
    using Sink = std::function<void(CoreEvent &&)>;

    // Begins to load at once: PROGRESS follows, then LOADED or FAILED.
    Core(CoreSettings settings, Sink sink);
    // Ends everything and waits for it.
    ~Core();

    // HEAD, any number of DATA and one END follow. To be called after LOADED only.
    void request(int id, const std::string & route, std::string body);
    // END comes soon: within a token, or within a batch while the prompt is read.
    void cancel(int id);
    // To be called once END has been seen.
    void forget(int id);
    // Cancels all that is under way, loading too; CLOSED follows.
    void close();

private:
    struct Request {
        std::atomic<bool> cancelled{false};
        std::string       body;
        std::thread       thread;
    };

    void run();
    void load_and_serve();
    void serve(int id, const server_http_context::handler_t & handler, Request & request);
    void stop();

    const Sink                                             sink;
    common_params                                          params;
    server_context                                         context;
    std::unique_ptr<server_routes>                         routes;
    std::map<std::string, server_http_context::handler_t>  handlers;
    std::map<int, std::unique_ptr<Request>>                requests; // of the thread that owns the core
    std::atomic<bool>                                      closing{false};
    std::atomic<bool>                                      over{false};
    std::thread                                            runner;
    std::thread                                            closer;
};
