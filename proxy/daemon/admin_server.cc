// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon/admin_server.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>

#include <chrono>
#include <limits>
#include <thread>

#include "crivet/admin/v1/admin.grpc.pb.h"
#include "proxy/road/listener.h"
#include "proxy/steady_deadline.h"
#include "trust/kinds.h"

namespace crivet::proxy {
namespace {

constexpr std::chrono::milliseconds kPause{100};
constexpr int kMaxRequestBytes = 1 << 20;

grpc::Status NotOfEvidence() {
  return {grpc::StatusCode::INVALID_ARGUMENT, "not the name of a repository with evidence"};
}

// Nothing where it is none of a kind that asks registries.
template <typename Request>
std::optional<trust::CollectionId> RegistryBoundId(const Request& request) {
  const trust::Kind* const kind = trust::FindKind(trust::AllKinds(), request.kind());
  if (kind == nullptr || kind->asks() != trust::Kind::Asks::kNames) return std::nullopt;
  const auto name = kind->ParseName(request.name());
  if (!name) return std::nullopt;
  return trust::CollectionId{request.kind(), request.url(), *name};
}

// Who asks for MayPull waits for servers that others chose, and in any number: without a thread.
class AdminService final
    : public admin::v1::Admin::WithCallbackMethod_MayPull<admin::v1::Admin::Service> {
 public:
  explicit AdminService(const AdminServer::Options& options) : options_(options) {}

  grpc::Status Status(grpc::ServerContext*, const admin::v1::StatusRequest*,
                      admin::v1::StatusResponse* response) override {
    ReportStatus(options_.snapshot(), *response);
    return grpc::Status::OK;
  }

  grpc::Status WouldRefuse(grpc::ServerContext* context, const admin::v1::WouldRefuseRequest*,
                           grpc::ServerWriter<admin::v1::JudgedImage>* writer) override {
    const auto reviewed = options_.review_node({.found =
                                                    [&](const WouldBeRefused& refused) {
                                                      admin::v1::JudgedImage image;
                                                      ReportRefused(refused, image);
                                                      writer->Write(image);
                                                    },
                                                .go_on = [&] { return !context->IsCancelled(); }});
    // UNAVAILABLE would mean that this daemon is.
    if (!reviewed) return {grpc::StatusCode::FAILED_PRECONDITION, reviewed.error().detail};
    admin::v1::JudgedImage last;
    ReportLookedAt(*reviewed, last);
    writer->Write(last);
    return grpc::Status::OK;
  }

  grpc::Status Forget(grpc::ServerContext*, const admin::v1::ForgetRequest* request,
                      admin::v1::ForgetResponse*) override {
    // A client of before there were kinds says none.
    const std::string& kind_name =
        request->kind().empty() ? std::string(trust::AllKinds().front()->name()) : request->kind();
    const trust::Kind* const kind = trust::FindKind(trust::AllKinds(), kind_name);
    const auto name = kind == nullptr ? std::nullopt : kind->ParseName(request->gun());
    if (!name) return {grpc::StatusCode::INVALID_ARGUMENT, "not the name of a collection"};
    const auto forgotten = options_.forget({kind_name, request->url(), *name});
    if (forgotten) return grpc::Status::OK;
    return {grpc::StatusCode::INTERNAL, forgotten.error().detail};
  }

  grpc::Status ForgetNames(grpc::ServerContext*, const admin::v1::ForgetNamesRequest* request,
                           admin::v1::ForgetNamesResponse* response) override {
    const trust::Kind* const kind = trust::FindKind(trust::AllKinds(), request->kind());
    const auto name = kind == nullptr ? std::nullopt : kind->ParseName(request->name());
    const auto image = trust::ImageReference::Parse(request->image());
    if (!name || !image) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "not the names of a collection and an image"};
    }
    const auto dropped = options_.forget_names({request->kind(), request->url(), *name}, *image);
    if (!dropped) return {grpc::StatusCode::INTERNAL, dropped.error().detail};
    response->set_records(*dropped);
    return grpc::Status::OK;
  }

  grpc::Status ForgetTag(grpc::ServerContext*, const admin::v1::ForgetTagRequest* request,
                         admin::v1::ForgetTagResponse* response) override {
    const auto id = RegistryBoundId(*request);
    if (!id) return NotOfEvidence();
    const auto floor = options_.forget_tag(*id, request->tag());
    if (!floor) return {grpc::StatusCode::INTERNAL, floor.error().detail};
    const auto seconds = [](const std::optional<trust::TimePoint>& time) {
      return time ? time->time_since_epoch().count() : 0;
    };
    response->set_was(seconds(floor->own));
    response->set_with_others(seconds(floor->with_others));
    return grpc::Status::OK;
  }

  grpc::Status ForgetEvidence(grpc::ServerContext*, const admin::v1::ForgetEvidenceRequest* request,
                              admin::v1::ForgetEvidenceResponse* response) override {
    const auto id = RegistryBoundId(*request);
    if (!id) return NotOfEvidence();
    const auto dropped = options_.forget_evidence(*id);
    if (!dropped) return {grpc::StatusCode::INTERNAL, dropped.error().detail};
    response->set_images(dropped->images);
    response->set_records(dropped->records);
    return grpc::Status::OK;
  }

  grpc::Status Reload(grpc::ServerContext* context, const admin::v1::ReloadRequest*,
                      admin::v1::ReloadResponse* response) override {
    const auto problems = options_.reload([&] { return !context->IsCancelled(); });
    if (!problems) return {grpc::StatusCode::UNAVAILABLE, problems.error().detail};
    for (const std::string& problem : *problems) response->add_kept_because(problem);
    return grpc::Status::OK;
  }

  grpc::ServerUnaryReactor* MayPull(grpc::CallbackServerContext* context,
                                    const admin::v1::MayPullRequest* request,
                                    admin::v1::MayPullResponse* response) override {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    options_.may_pull(request->name(), request->digest(),
                      [reactor, response](const trust::Result<SecondDoor::Verdict>& judged) {
                        if (!judged) {
                          const bool malformed = judged.error().reason == trust::Reason::kMalformed;
                          reactor->Finish({malformed ? grpc::StatusCode::INVALID_ARGUMENT
                                                     : grpc::StatusCode::INTERNAL,
                                           judged.error().detail});
                          return;
                        }
                        response->set_verdict(std::string(trust::WordOf(judged->answer)));
                        response->set_message(judged->message);
                        reactor->Finish(grpc::Status::OK);
                      });
    return reactor;
  }

 private:
  const AdminServer::Options& options_;
};

}  // namespace

class AdminServer::Server {
 public:
  Server(Listener listener, Options options)
      : listener_(std::move(listener)), options_(std::move(options)), service_(options_) {}

  ~Server() {
    // Cancels what still runs: a review of the node would otherwise go on for minutes.
    if (server_ != nullptr) server_->Shutdown(DeadlineIn(std::chrono::milliseconds(0)));
  }

  int fd() const { return listener_.fd(); }

  void Accept() {
    Listener::Accepted accepted;
    const auto outcome = listener_.Accept(accepted);
    // Whoever waits stays in the queue; without a pause poll would come back at once.
    if (outcome == Listener::AcceptOutcome::kExhausted) std::this_thread::sleep_for(kPause);
    if (outcome != Listener::AcceptOutcome::kAccepted) return;
    if (server_ == nullptr) Start();
    if (server_ != nullptr) grpc::AddInsecureChannelFromFd(server_.get(), accepted.fd.Release());
  }

 private:
  void Start() {
    grpc::ServerBuilder builder;
    builder.RegisterService(&service_);
    // Nothing that is asked here is large; and gRPC would inflate a request to any size before it
    // looks.
    builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
    for (const auto compression : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
      builder.SetCompressionAlgorithmSupportStatus(compression, false);
    }
    // One thread that waits, without waking up in between.
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 1);
    builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::CQ_TIMEOUT_MSEC,
                                std::numeric_limits<int>::max());
    server_ = builder.BuildAndStart();
  }

  Listener listener_;
  Options options_;
  AdminService service_;
  std::unique_ptr<grpc::Server> server_;
};

trust::Result<std::unique_ptr<AdminServer>> AdminServer::Create(Options options) {
  auto listener = Listener::BindPrivate(options.path);
  if (!listener) return tl::unexpected(listener.error());
  return std::unique_ptr<AdminServer>(
      new AdminServer(std::make_unique<Server>(std::move(*listener), std::move(options))));
}

AdminServer::AdminServer(std::unique_ptr<Server> server) : server_(std::move(server)) {}
AdminServer::~AdminServer() = default;

int AdminServer::fd() const { return server_->fd(); }
void AdminServer::Accept() { server_->Accept(); }

}  // namespace crivet::proxy
