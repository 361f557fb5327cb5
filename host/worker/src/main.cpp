// The program sizewise-worker: see docs/worker-protocol.md.

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include <boost/program_options.hpp>
#include <sys/prctl.h>

#include "sizewise/error.hpp"

#include "serving/server.hpp"

namespace {

namespace po = boost::program_options;

constexpr int kDone = 0;
constexpr int kBadInput = 2;
constexpr int kInternalFault = 3;

int run(int argc, char** argv) {
  po::options_description flags("sizewise-worker: trains models for sizewise");
  flags.add_options()("read-fd", po::value<int>(), "descriptor that requests come from")(
      "write-fd", po::value<int>(), "descriptor that answers go to")(
      "request", po::value<std::string>(), "a file with one request, to answer by hand")(
      "help", "print this")("version", "print the version");
  po::variables_map given;
  po::store(po::parse_command_line(argc, argv, flags), given);
  po::notify(given);
  if (given.contains("help")) {
    std::cout << flags;
    return kDone;
  }
  if (given.contains("version")) {
    std::cout << "sizewise-worker " SIZEWISE_VERSION "\n";
    return kDone;
  }
  if (given.contains("request")) {
    std::cout << sizewise::serving::answer_file(given.at("request").as<std::string>())
              << "\n";
    return kDone;
  }
  if (!given.contains("read-fd") || !given.contains("write-fd")) {
    throw sizewise::Error(sizewise::ErrorCode::kConfiguration,
                          "sizewise-worker needs --read-fd and --write-fd, or --request",
                          "it is started by sizewise; see docs/worker-protocol.md");
  }
  // A write to a host that is gone must fail, not kill: the failure ends the worker in
  // order. And a host that was killed takes its workers with it.
  std::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sizewise::serving::serve(given.at("read-fd").as<int>(), given.at("write-fd").as<int>());
  return kDone;
}

int report(std::string_view message, std::string_view suggestion, int exit_code) {
  std::cerr << "sizewise-worker: " << message << "\n";
  if (!suggestion.empty()) {
    std::cerr << suggestion << "\n";
  }
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const sizewise::Error& error) {
    const bool internal = error.code() == sizewise::ErrorCode::kInternal;
    return report(
        error.message(), error.suggestion(), internal ? kInternalFault : kBadInput);
  } catch (const po::error& error) {
    return report(error.what(), "see sizewise-worker --help", kBadInput);
  } catch (const std::exception& error) {
    return report(error.what(), {}, kInternalFault);
  }
}
